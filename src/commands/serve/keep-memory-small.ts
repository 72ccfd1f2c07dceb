import { setFlagsFromString } from "node:v8";

/**
 * Let V8 clear away what is short-lived sooner, for the rest of this process. A server lives for days and holds some 20 MB, but by default V8 lets 33 MB of
 * garbage and the buffers that hang on it lie before it looks: a third of the server's memory. And its heap and its code grow
 * less for the sake of speed: another 7 MB.
 */
export function keepMemorySmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--optimize-for-size");
}
