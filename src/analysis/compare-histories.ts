import { type History, stepOfState } from "../formats/history.js";
import { type Dtype, itemSizes, Matrix } from "../formats/matrix.js";
import type { RowTokens } from "../formats/row-tokens.js";
import { type ExactNumber, exactNumber } from "./document-fields.js";
import type { ScanOptions } from "./scan/observation.js";
import { runHere } from "./scan/run-in-parts.js";

/** Bits of +∞; magnitudes above are NaN. */
const infinities: Partial<Record<Dtype, bigint>> = { BF16: 0x7f80n, F16: 0x7c00n, F32: 0x7f80_0000n, F64: 0x7ff0_0000_0000_0000n };

/**
 * Distance of two elements in numbers of their dtype: 1 for neighbours, also from the largest number to infinity; 0 for −0 and 0.
 * @param a bytes of one element, little-endian.
 * @returns null if one is NaN, and for integer dtypes; rounded above 2^53, which only F64 reaches.
 */
export function ulpDistance(dtype: Dtype, a: Uint8Array, b: Uint8Array): number | null {
  const infinity = infinities[dtype];
  if (infinity === undefined) return null;
  const [left, right] = [ordinal(a), ordinal(b)];
  if (magnitude(left) > infinity || magnitude(right) > infinity) return null;
  return Number(magnitude(left - right));
}

/** The bits of a float as sign and magnitude, which numbers the floats from zero in both directions. */
function ordinal(element: Uint8Array): bigint {
  const bits = element.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const sign = 1n << BigInt(8 * element.length - 1);
  return bits & sign ? -(bits ^ sign) : bits;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Two elements at the same position with different bits. */
interface DifferingElement {
  readonly a: ExactNumber;
  readonly b: ExactNumber;
  /** As `ulpDistance` counts: 0 for −0 and 0, null where one is NaN. */
  readonly ulp: number | null;
}

/** The first element in which two equally long pieces of a tensor differ, and its index. @param a elements, little-endian. */
export function differingElement(dtype: Dtype, a: Uint8Array, b: Uint8Array): (DifferingElement & { readonly index: number }) | undefined {
  if (Buffer.compare(a, b) === 0) return undefined;
  const size = itemSizes[dtype];
  const index = Math.floor(a.findIndex((byte, at) => byte !== b[at]) / size);
  const elementOf = (bytes: Uint8Array) => bytes.subarray(index * size, (index + 1) * size);
  const numberOf = (bytes: Uint8Array) => exactNumber(new Matrix(dtype, [1], elementOf(bytes)).at(0, 0));
  return { index, a: numberOf(a), b: numberOf(b), ulp: ulpDistance(dtype, elementOf(a), elementOf(b)) };
}

/** Bytes of each history in memory at a time, or one larger state. */
const chunkBytes = 1 << 20;

/** The first difference of two histories. */
export interface DifferingPlace extends DifferingElement {
  readonly step: number;
  readonly token: number;
  readonly component: number;
}

/** Result of comparing two histories. */
export interface HistoryComparison {
  /** Whether every step and token that both recorded has the same bits, and both end at the same step. */
  readonly equal: boolean;
  /** The first difference in bits, within the steps and tokens that both recorded. */
  readonly first: DifferingPlace | null;
  /** The last step up to which all common steps and tokens have equal bits; null if there is none. */
  readonly equalTo: number | null;
  /** Why they are not equal although no bits differ. */
  readonly reason: string | null;
}

/** Options of `compareHistories`. */
export interface CompareHistoriesOptions extends Pick<ScanOptions, "signal" | "onProgress"> {
  /** Skip the states up to this step. */
  readonly after?: number | undefined;
}

/**
 * Compare two histories bit for bit, in their common steps and tokens. −0 and 0 differ, and so do NaNs with different bits. Both are read once, up to the first
 * difference, in constant memory.
 * @throws {BhBridgeError} `ABORTED`; read errors.
 */
export async function compareHistories(a: History, b: History, options: CompareHistoriesOptions = {}): Promise<HistoryComparison> {
  const unlike = unlikeness(a, b);
  if (unlike !== undefined) return { equal: false, first: null, equalTo: null, reason: unlike };
  const { first, equalTo } = await runHere(compareStates(a, b, options.after ?? -1), Math.min(a.states, b.states), options);
  const ends = [a, b].map((history) => stepOfState(history, history.states - 1));
  const reason = first || ends[0] === ends[1] ? null : `a ends at step ${ends[0]}, b at step ${ends[1]}`;
  return { equal: !first && reason === null, first: first ?? null, equalTo, reason };
}

/** Why no elements can be compared, if so. */
function unlikeness(a: History, b: History): string | undefined {
  if (a.dtype !== b.dtype) return `a is ${a.dtype}, b is ${b.dtype}`;
  if (a.dims !== b.dims) return `a has ${a.dims} components, b has ${b.dims}`;
  if (commonRows(a.rowTokens, b.rowTokens)?.length === 0) return "no token was recorded in both";
  return commonStates(a, b, -1).next().done ? "no step was recorded in both" : undefined;
}

function* compareStates(a: History, b: History, after: number): Generator<number, Pick<HistoryComparison, "equalTo"> & { first?: DifferingPlace }> {
  const rows = commonRows(a.rowTokens, b.rowTokens);
  const bytesOf = ({ tokens, dims, dtype }: History, count: number) => new Uint8Array(count * tokens * dims * itemSizes[dtype]);
  let equalTo: number | null = null;
  for (const range of commonStates(a, b, after)) {
    const [left, right] = [bytesOf(a, range.count), bytesOf(b, range.count)];
    a.read(range.a, range.count, left);
    b.read(range.b, range.count, right);
    const found = rows ? firstInRows(left, right, { a, b, rows, count: range.count }) : firstInAll(left, right, a);
    if (found) {
      const step = stepOfState(a, range.a + found.state);
      if (found.state > 0) equalTo = stepOfState(a, range.a + found.state - 1);
      return { equalTo, first: { step, token: found.token, component: found.component, a: found.a, b: found.b, ulp: found.ulp } };
    }
    equalTo = stepOfState(a, range.a + range.count - 1);
    yield range.a + range.count;
  }
  return { equalTo };
}

type FoundInChunk = Omit<DifferingPlace, "step"> & { readonly state: number };

function firstInAll(left: Uint8Array, right: Uint8Array, { dtype, tokens, dims, rowTokens }: History): FoundInChunk | undefined {
  const found = differingElement(dtype, left, right);
  if (!found) return undefined;
  const { index, ...element } = found;
  const row = Math.floor(index / dims);
  return { ...element, state: Math.floor(row / tokens), token: rowTokens.ofRow(row % tokens), component: index % dims };
}

function firstInRows(
  left: Uint8Array,
  right: Uint8Array,
  { a, b, rows, count }: { a: History; b: History; rows: readonly RowPair[]; count: number },
): FoundInChunk | undefined {
  const rowBytes = a.dims * itemSizes[a.dtype];
  const rowOf = (states: Uint8Array, row: number) => states.subarray(row * rowBytes, (row + 1) * rowBytes);
  for (let state = 0; state < count; state++) {
    for (const row of rows) {
      const found = differingElement(a.dtype, rowOf(left, state * a.tokens + row.a), rowOf(right, state * b.tokens + row.b));
      if (!found) continue;
      const { index, ...element } = found;
      return { ...element, state, token: a.rowTokens.ofRow(row.a), component: index };
    }
  }
  return undefined;
}

/** The rows of one token in two histories. */
type RowPair = Readonly<Record<"a" | "b", number>>;

/** The rows of the common tokens, in the order of `a`; undefined if both have the same tokens in the same rows. */
function commonRows(a: RowTokens, b: RowTokens): RowPair[] | undefined {
  const tokens = Array.from({ length: a.count }, (_, row) => a.ofRow(row));
  if (a.count === b.count && tokens.every((token, row) => b.ofRow(row) === token)) return undefined;
  const common = tokens.filter((token) => b.has(token));
  const rows = b.rowsOf(common);
  return a.rowsOf(common).map((row, at) => ({ a: row, b: rows[at] ?? 0 }));
}

/** Consecutive states of the same steps in two histories. */
type StateRange = Readonly<Record<"a" | "b" | "count", number>>;

/** The states of the common steps above `after`, in pieces that fit into memory. */
function* commonStates(a: History, b: History, after: number): Generator<StateRange> {
  const most = Math.max(1, Math.floor(chunkBytes / (Math.max(a.tokens, b.tokens) * a.dims * itemSizes[a.dtype])));
  let range: StateRange | undefined;
  for (let [i, j] = [0, 0]; i < a.states && j < b.states; ) {
    const [step, other] = [stepOfState(a, i), stepOfState(b, j)];
    if (step === other && step > after) {
      const continues = range && range.count < most && range.a + range.count === i && range.b + range.count === j;
      if (range && !continues) yield range;
      range = range && continues ? { ...range, count: range.count + 1 } : { a: i, b: j, count: 1 };
    }
    if (step <= other) i++;
    if (other <= step) j++;
  }
  if (range) yield range;
}
