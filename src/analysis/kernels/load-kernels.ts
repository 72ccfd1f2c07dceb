import type { Dtype } from "../../formats/matrix.js";
import { kernelsBase64 } from "./kernels.generated.js";

/** `wasm`: SIMD kernels; `plain`: slower TypeScript, the reference for their tests. */
export type KernelChoice = "wasm" | "plain";

/** `wasm`, unless the environment has `BH_BRIDGE_KERNELS=plain`. */
export function defaultKernels(): KernelChoice {
  return process.env["BH_BRIDGE_KERNELS"] === "plain" ? "plain" : "wasm";
}

/** The kernels of one instance, documented in `assembly/`. Addresses are bytes in `memory`, whose buffer `configure…` may replace. */
interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  configure(kind: number, tokens: number, rowBytes: number, capacity: number): number;
  scan(count: number): void;
  carry(count: number): void;
  resultsAddress(): number;
  nonfiniteAddress(): number;
  seen(): number;
  configureRows(rowBytes: number, capacity: number): number;
  hashRows(kind: number, count: number, rowBytes: number): void;
  hashesAddress(): number;
  configureProducts(columns: number, itemBytes: number, capacity: number, vectors: number): number;
  widen(kind: number, count: number): void;
  project(count: number, vectors: number): void;
  gather(count: number): void;
  offsetAddress(): number;
  vectorsAddress(): number;
  weightsAddress(): number;
  dotsAddress(): number;
  gatheredAddress(): number;
  rowStride(): number;
}

/** Element kinds of `assembly/rows.ts`; 0, an integer, for all other dtypes. */
const floatKinds: Readonly<Partial<Record<Dtype, number>>> = { BF16: 1, F16: 2, F32: 3, F64: 4 };

/** The kind by which the kernels read elements. */
export function kernelKind(dtype: Dtype): number {
  return floatKinds[dtype] ?? 0;
}

/** The part of WebAssembly that is used here; TypeScript has its types only in the library for browsers. */
interface WebAssemblyEngine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

let compiled: object | undefined;

/** A new instance of the kernels, with its own memory. */
export function loadKernels(): Kernels {
  const { WebAssembly: engine } = globalThis as unknown as { WebAssembly: WebAssemblyEngine };
  compiled ??= new engine.Module(Buffer.from(kernelsBase64, "base64"));
  return new engine.Instance(compiled).exports as Kernels;
}
