import type { Dtype } from "../../formats/matrix.js";
import { kernelsBase64 } from "./kernels.generated.js";

/** `wasm`: the SIMD kernels; `plain`: the same in TypeScript, which is slower and serves as their check. */
export type KernelChoice = "wasm" | "plain";

/** What is used when nobody says: `wasm`, unless the environment has `BH_BRIDGE_KERNELS=plain`. */
export function defaultKernels(): KernelChoice {
  return process.env["BH_BRIDGE_KERNELS"] === "plain" ? "plain" : "wasm";
}

/** The SIMD kernels of one instance; addresses are bytes in `memory`, whose buffer is replaced when `configure…` makes it grow. */
interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Lay out memory for chunks of states; the address of the state before a chunk, or 0 when there is not enough memory. */
  configure(kind: number, tokens: number, rowBytes: number, capacity: number): number;
  /** Classify and compare the `count` states of a chunk. */
  scan(count: number): void;
  /** Make the last state of a chunk the one before the next. */
  carry(count: number): void;
  /** `timelineFields` of each state of the chunk, i32. */
  resultsAddress(): number;
  /** One byte a token: 1 when it has held NaN or infinity. */
  nonfiniteAddress(): number;
  /** Bits: some component was not 0; some was finite; some changed. */
  seen(): number;
  /** Lay out memory for `capacity` rows; their address, or 0 when there is not enough memory. */
  configureRows(rowBytes: number, capacity: number): number;
  /** Hash `count` rows and rewrite their −0 as 0. */
  hashRows(kind: number, count: number, rowBytes: number): void;
  /** A 64-bit hash a row; 0 stands for a row with NaN. */
  hashesAddress(): number;
}

const integer = 0;

/** How the kernels read an element; the numbers are those of `assembly/rows.ts`. A boolean counts as an integer of 0 or 1. */
export const kernelKinds: Readonly<Record<Dtype, number>> = {
  BF16: 1,
  F16: 2,
  F32: 3,
  F64: 4,
  I8: integer,
  U8: integer,
  I16: integer,
  U16: integer,
  I32: integer,
  U32: integer,
  I64: integer,
  U64: integer,
  BOOL: integer,
};

/** The part of WebAssembly that is used here: its types are in TypeScript's library for browsers alone. */
interface WebAssemblyEngine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

let compiled: object | undefined;

/** A new instance of the kernels, with memory of its own. */
export function loadKernels(): Kernels {
  const { WebAssembly: engine } = globalThis as unknown as { WebAssembly: WebAssemblyEngine };
  compiled ??= new engine.Module(Buffer.from(kernelsBase64, "base64"));
  return new engine.Instance(compiled).exports as Kernels;
}
