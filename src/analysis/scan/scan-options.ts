import type { KernelChoice } from "../kernels/kernel-choice.js";

/** What every analysis of a long input takes. */
export interface ScanOptions {
  /** Ends the analysis with an `ABORTED` error. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with how many states (or rows) have been read, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Worker threads; by default as many as the processor carries, for long files. 0 reads in this thread. */
  readonly workers?: number | undefined;
  /** By default the SIMD kernels, unless the environment has `BH_BRIDGE_KERNELS=plain`. */
  readonly kernels?: KernelChoice | undefined;
}
