/** `wasm`: the SIMD kernels; `plain`: the same in TypeScript, which is slower and serves as their check. */
export type KernelChoice = "wasm" | "plain";

/** What is used when nobody says: `wasm`, unless the environment has `BH_BRIDGE_KERNELS=plain`. */
export function defaultKernels(): KernelChoice {
  return process.env["BH_BRIDGE_KERNELS"] === "plain" ? "plain" : "wasm";
}
