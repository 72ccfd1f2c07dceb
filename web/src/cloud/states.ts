import { lastUpTo } from "../../shared/read-out.js";
import type { HistoryDocument } from "../documents.js";
import { getBytes } from "../server.js";

/** The exact words of a state, `[tokens, dims]`. */
export type StateBits = Uint16Array | Uint32Array;

/** Bytes to request, and to cache, at a time. */
const pieceBytes = 1 << 20;
const keptBytes = 96 << 20;

/** The states of a history, fetched in pieces around the one that is looked at; a history of any length takes the same memory. */
export class States {
  readonly #id: string;
  #history: HistoryDocument;
  readonly #inPiece: number;
  /** Pieces, and the number of recorded states when they were requested: the last piece of a history may grow. */
  readonly #pieces = new Map<number, { bytes: ArrayBuffer; states: number }>();
  #fetching: { piece: number; controller: AbortController } | undefined;
  #wanted: number[] = [];
  readonly #onArrival: () => void;

  constructor(history: HistoryDocument, onArrival: () => void) {
    this.#id = history.id;
    this.#history = history;
    this.#inPiece = Math.max(1, Math.floor(pieceBytes / history.stateBytes));
    this.#onArrival = onArrival;
  }

  /** Take the description of the same history after it has grown; the pieces stay. */
  grow(history: HistoryDocument): void {
    this.#history = history;
  }

  /** A state, if it is here; else it comes, with its neighbours in the direction of the motion, and `onArrival` tells. */
  state(index: number, direction: 1 | -1 = 1): StateBits | undefined {
    const piece = Math.floor(index / this.#inPiece);
    this.#want([piece, piece + direction]);
    const found = this.#pieces.get(piece);
    if (!found) return undefined;
    this.#pieces.delete(piece);
    this.#pieces.set(piece, found); // the newest last
    return this.#bits(found.bytes, index - piece * this.#inPiece);
  }

  /** Give up what is under way. */
  close(): void {
    this.#wanted = [];
    this.#fetching?.controller.abort();
  }

  #bits(piece: ArrayBuffer, at: number): StateBits | undefined {
    const { stateBytes, tokens, dims, dtype } = this.#history;
    if ((at + 1) * stateBytes > piece.byteLength) {
      return undefined;
    }
    if (stateBytes === tokens * dims * 2) return new Uint16Array(piece, at * stateBytes, tokens * dims);
    if (dtype === "F64") return new Uint32Array(Float32Array.from(new Float64Array(piece, at * stateBytes, tokens * dims)).buffer);
    return new Uint32Array(piece, at * stateBytes, tokens * dims);
  }

  #want(pieces: readonly number[]): void {
    const last = Math.floor((this.#history.states - 1) / this.#inPiece);
    this.#wanted = pieces.filter((piece) => piece >= 0 && piece <= last && !this.#isWhole(piece));
    if (this.#fetching && this.#wanted.length > 0 && !this.#wanted.includes(this.#fetching.piece)) this.#fetching.controller.abort();
    void this.#fetch();
  }

  /** Whether a piece is here with every state that it can have. */
  #isWhole(piece: number): boolean {
    const found = this.#pieces.get(piece);
    return found !== undefined && (found.bytes.byteLength >= this.#inPiece * this.#history.stateBytes || found.states >= this.#history.states);
  }

  async #fetch(): Promise<void> {
    const [piece] = this.#wanted;
    if (this.#fetching || piece === undefined) return;
    const controller = new AbortController();
    this.#fetching = { piece, controller };
    try {
      const path = `/api/runs/${this.#id}/states?first=${piece * this.#inPiece}&count=${this.#inPiece}`;
      const { states } = this.#history;
      this.#pieces.set(piece, { bytes: await getBytes(path, controller.signal), states });
      for (const oldest of this.#pieces.keys()) {
        if (this.#pieces.size * this.#inPiece * this.#history.stateBytes <= keptBytes) break;
        this.#pieces.delete(oldest);
      }
      this.#onArrival();
    } catch {
      // It was given up for another, or the server has gone; what is wanted is asked for again when it is looked at.
    } finally {
      this.#fetching = undefined;
      this.#wanted = this.#wanted.filter((each) => each !== piece && !this.#isWhole(each));
      if (!controller.signal.aborted || this.#wanted.length > 0) void this.#fetch();
    }
  }
}

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** The number that a recorded word stands for. */
function valueOfWord(word: number, dtype: string): number {
  if (dtype === "F16") return halfValue(word);
  words[0] = dtype === "BF16" ? word << 16 : word;
  return floats[0] ?? 0;
}

function halfValue(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >> 10) & 31;
  const fraction = word & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Position of a row in the picture: right, up, towards the eye. */
export function placeOfRow(
  bits: StateBits,
  row: number,
  dims: number,
  dtype: string,
  matrix: Float32Array,
  offset: readonly number[],
): [number, number, number] {
  const place: [number, number, number] = [-(offset[0] ?? 0), -(offset[1] ?? 0), -(offset[2] ?? 0)];
  for (let dim = 0; dim < dims; dim++) {
    const value = valueOfWord(bits[row * dims + dim] ?? 0, dtype);
    place[0] += value * (matrix[dim * 4] ?? 0);
    place[1] += value * (matrix[dim * 4 + 1] ?? 0);
    place[2] += value * (matrix[dim * 4 + 2] ?? 0);
  }
  return place;
}

/** The last recorded state that is not after a step. */
export function stateOfStep(steps: readonly number[] | null, step: number, count: number): number {
  return Math.max(0, Math.min(count - 1, steps ? lastUpTo(steps, step) : Math.round(step)));
}
