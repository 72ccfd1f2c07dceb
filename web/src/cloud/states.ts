import { useEffect, useMemo } from "preact/hooks";
import { type HoleMarks, markHoles } from "../../replay/holes.js";
import type { ReplayedStates, StateBits } from "../../replay/replayed.js";
import type { HistoryDocument } from "../documents.js";
import { getBytes } from "../server.js";

/** Bytes to request, and to cache, at a time. */
const pieceBytes = 1 << 20;
const keptBytes = 96 << 20;

/** The states of a history, fetched in pieces around the one that is looked at; a history of any length takes the same memory. */
export class States implements ReplayedStates {
  readonly #id: string;
  #history: HistoryDocument;
  readonly #inPiece: number;
  /** Pieces, and the number of recorded states when they were requested: the last piece of a history may grow. */
  readonly #pieces = new Map<number, { bytes: ArrayBuffer; states: number }>();
  #fetching: { piece: number; controller: AbortController } | undefined;
  #wanted: number[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(history: HistoryDocument) {
    this.#id = history.id;
    this.#history = history;
    this.#inPiece = Math.max(1, Math.floor(pieceBytes / history.stateBytes));
  }

  /** Take the description of the same history after it has grown; the pieces stay. */
  grow(history: HistoryDocument): void {
    this.#history = history;
  }

  /** A state, if it is here; else it is fetched with its neighbours in the direction of the motion. */
  state(index: number, direction: 1 | -1 = 1): StateBits | undefined {
    const piece = Math.floor(index / this.#inPiece);
    this.#want([piece, piece + direction]);
    const found = this.#pieces.get(piece);
    if (!found) return undefined;
    this.#pieces.delete(piece);
    this.#pieces.set(piece, found); // the newest last
    return this.#bits(found.bytes, index - piece * this.#inPiece);
  }

  listen(arrived: () => void): () => void {
    this.#listeners.add(arrived);
    return () => {
      this.#listeners.delete(arrived);
    };
  }

  holesOf(_index: number, bits: StateBits): HoleMarks {
    const { tokens, dims, dtype } = this.#history;
    return markHoles(bits, tokens, dims, dtype);
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
      for (const arrived of this.#listeners) arrived();
    } catch {
      // It was given up for another, or the server has gone; what is wanted is asked for again when it is looked at.
    } finally {
      this.#fetching = undefined;
      this.#wanted = this.#wanted.filter((each) => each !== piece && !this.#isWhole(each));
      if (!controller.signal.aborted || this.#wanted.length > 0) void this.#fetch();
    }
  }
}

/** The states of a history, which stay when it grows. */
export function useStates(history: HistoryDocument): States {
  const states = useMemo(() => new States(history), [history.id]);
  states.grow(history);
  useEffect(() => () => states.close(), [states]);
  return states;
}
