import type { ReplayFrames } from "../../src/report/replay-frames.js";
import type { HoleMarks } from "../replay/holes.js";
import type { ReplayedBasis, ReplayedHistory, ReplayedPath, ReplayedStates, StateBits } from "../replay/replayed.js";
import type { SearchedTokens } from "../replay/token-search.js";
import { unpackedFrames } from "./unpacked.js";

const components = 2;
/** The end of an axis in packed positions. */
const end = 65_535;

/** The key frames of a run, in the form in which a replay shows them. */
export interface FramedReplay {
  readonly history: ReplayedHistory & SearchedTokens;
  readonly basis: ReplayedBasis;
  readonly states: FrameStates;
  nameOf(row: number): string;
}

/** Unpack the key frames of a run. @param id distinct in the report. */
export async function framedReplay(frames: ReplayFrames, id: string): Promise<FramedReplay> {
  const { tokens, steps, width, height } = frames;
  const [places, classes] = await Promise.all([unpackedFrames(frames.places, components * tokens.length), unpackedFrames(frames.classes, tokens.length)]);
  const names = tokens.map(({ name }) => name);
  const dead = [...tokens.keys()].filter((row) => tokens[row]?.dead);
  const history = { id, states: steps.length, tokens: tokens.length, dims: components, dtype: "F32", steps, dead, texts: names };
  // The positions are coordinates already.
  const basis = { components, mean: [0, 0], directions: [1, 0, 0, 1], reach: [width / 2, height / 2], explained: [...frames.explained] };
  return { history, basis, states: new FrameStates(frames, places, classes), nameOf: (row) => names[row] ?? "" };
}

/** Positions around the middle of the view, which the report has packed as numbers of 16 bits. */
class FrameStates implements ReplayedStates {
  readonly #frames: ReplayFrames;
  readonly #places: Uint16Array;
  readonly #classes: Uint16Array;
  #newest: { index: number; bits: StateBits } | undefined;

  constructor(frames: ReplayFrames, places: Uint16Array, classes: Uint16Array) {
    this.#frames = frames;
    this.#places = places;
    this.#classes = classes;
  }

  state(index: number): StateBits {
    if (this.#newest?.index === index) return this.#newest.bits;
    const { length } = this.#frames.tokens;
    const values = Float32Array.from({ length: components * length }, (_, at) => this.#coordinate(index * components * length + at));
    const bits = new Uint32Array(values.buffer);
    this.#newest = { index, bits };
    return bits;
  }

  listen(): () => void {
    return () => undefined; // all of them are here
  }

  holesOf(index: number): HoleMarks {
    const { length } = this.#frames.tokens;
    const classes = this.#classes.subarray(index * length, (index + 1) * length);
    const populations = new Map<number, number>();
    for (const first of classes) populations.set(first, (populations.get(first) ?? 0) + 1);
    const holes = [...populations].filter(([, tokens]) => tokens > 1).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const numbers = new Map(holes.map(([first], at) => [first, at + 1]));
    return { hole: Uint32Array.from(classes, (first) => numbers.get(first) ?? 0), populations: holes.map(([, tokens]) => tokens) };
  }

  /** The path of a row over all frames. */
  path(row: number): ReplayedPath {
    const states = [...this.#frames.steps.keys()];
    const at = (state: number) => components * (state * this.#frames.tokens.length + row);
    return { row, states, places: states.map((state) => [this.#coordinate(at(state)), this.#coordinate(at(state) + 1)]) };
  }

  #coordinate(index: number): number {
    const { width, height } = this.#frames;
    return ((this.#places[index] ?? 0) / end - 0.5) * (index % components === 0 ? width : height);
  }
}
