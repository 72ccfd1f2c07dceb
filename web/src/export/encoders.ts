import type { EncodedFrame } from "./webm.js";

/** What becomes of frames, in the order in which they are added. */
export interface FrameEncoder {
  add(frame: HTMLCanvasElement): Promise<void>;
  finish(): Promise<Blob>;
  close(): void;
}

interface FrameFormat {
  width: number;
  height: number;
  /** A multiple of 10, the unit of GIF. */
  frameMs: number;
}

/** Frames that the encoder may lag behind. */
const mostQueued = 4;
/** Milliseconds between frames from which a player can start. */
const keyEveryMs = 2000;
/** Bits a second and pixel: thin lines and small letters stay sharp. */
const bitsPerPixel = 6;

/** Encodes as VP8 in a WebM file. @throws {Error} in words for people, where the browser cannot. */
export async function webmEncoder({ width, height, frameMs }: FrameFormat): Promise<FrameEncoder> {
  const config: VideoEncoderConfig = {
    codec: "vp8",
    width,
    height,
    bitrate: bitsPerPixel * width * height,
    framerate: 1000 / frameMs,
    latencyMode: "realtime",
  };
  if (!("VideoEncoder" in window) || !(await VideoEncoder.isConfigSupported(config)).supported) {
    throw new Error("This browser cannot encode video at this address. Choose GIF, or open the page at localhost in a current browser.");
  }
  const { webmOf } = await import("./webm.js");
  const frames: EncodedFrame[] = [];
  let failure: Error | undefined;
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      frames.push({ bytes, isKey: chunk.type === "key" });
    },
    error(error) {
      failure = error;
    },
  });
  encoder.configure(config);
  let added = 0;
  const keyEvery = Math.ceil(keyEveryMs / frameMs);
  return {
    async add(canvas) {
      const frame = new VideoFrame(canvas, { timestamp: added * frameMs * 1000, duration: frameMs * 1000 });
      encoder.encode(frame, { keyFrame: added % keyEvery === 0 });
      frame.close();
      added++;
      while (encoder.encodeQueueSize > mostQueued && !failure) await nextTask();
      if (failure) throw failure;
    },
    async finish() {
      await encoder.flush();
      if (failure) throw failure;
      if (frames.length !== added) throw new Error(`The browser encoded ${frames.length} of ${added} frames`);
      return webmOf(frames, { width, height, frameMs });
    },
    close: () => encoder.state !== "closed" && encoder.close(),
  };
}

/** Encodes as GIF. @param samples pixels of frames that have all colours of the film, from which one palette is made. */
export async function gifEncoder({ width, height, frameMs }: FrameFormat, samples: readonly Uint8ClampedArray[]): Promise<FrameEncoder> {
  const { applyPalette, GIFEncoder, quantize } = await import("gifenc");
  const gif = GIFEncoder();
  const all = new Uint8ClampedArray(samples.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const sample of samples) {
    all.set(sample, at);
    at += sample.length;
  }
  const palette = quantize(all, 256);
  let isFirst = true;
  return {
    async add(canvas) {
      gif.writeFrame(applyPalette(pixelsOf(canvas), palette), width, height, { ...(isFirst && { palette }), delay: frameMs });
      isFirst = false;
      await nextTask();
    },
    async finish() {
      gif.finish();
      return new Blob([gif.bytes() as BlobPart], { type: "image/gif" });
    },
    close: () => undefined,
  };
}

/** The pixels of a frame, as RGBA. */
export function pixelsOf(canvas: HTMLCanvasElement): Uint8ClampedArray {
  const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data;
  if (!data) throw new Error("The frame cannot be read");
  return data;
}

/** Lets the page answer clicks and paint. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
