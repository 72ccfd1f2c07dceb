import { deflateRawSync } from "node:zlib";
import { rowClasses, selectRows } from "../analysis/census/census.js";
import { rowValues } from "../analysis/census/row-values.js";
import { forEachRow } from "../analysis/elements.js";
import { type PathBasis, rowDifference, seenFrom, sharedBasis } from "../analysis/geometry/path-basis.js";
import { spreadStates } from "../analysis/series.js";
import { basisOfRun } from "../figures/runs/cloud.js";
import { type RunSource, tokenGroups } from "../figures/runs/run-figure.js";
import { readState, stepOfState } from "../formats/history.js";
import { tokenName } from "../text/names.js";

/** A text as base64 of its raw DEFLATE, which browsers unpack (`web/report/unpacked.ts`). */
export function packedText(text: string): string {
  return packed(Buffer.from(text, "utf8"));
}

/**
 * Pack frames of numbers as differences to the previous frame, modulo 2^16 and folded so that small differences of both signs are small (0, −1, 1, −2, …
 * become 0, 1, 2, 3, …). All low bytes come before all high bytes. Base64 of their raw DEFLATE.
 * @param width numbers per frame.
 */
export function packedFrames(numbers: Uint16Array, width: number): string {
  const bytes = new Uint8Array(2 * numbers.length);
  for (const [index, value] of numbers.entries()) {
    const difference = ((value - (numbers[index - width] ?? 0)) << 16) >> 16;
    const folded = (difference << 1) ^ (difference >> 15);
    bytes[index] = folded;
    bytes[numbers.length + index] = folded >> 8;
  }
  return packed(bytes);
}

/**
 * Pack numbers, rounded to some decimal digits; whole numbers below 2^31 stay as they are. Base64 of the raw DEFLATE of six planes of bytes: low and high
 * byte of the decimal exponent (−32,768 for null), then, lowest first, four of the difference to the previous decimal mantissa, folded as in `packedFrames`.
 */
export function packedColumn(values: readonly (number | null)[], digits: number): string {
  const { length } = values;
  const bytes = new Uint8Array(6 * length);
  const isWhole = values.every((value) => value === null || (Number.isInteger(value) && Math.abs(value) < 2 ** 31));
  let previous = 0;
  for (const [index, value] of values.entries()) {
    const [, sign = "", whole = "", fraction = "", exponent = ""] = /^(-?)(\d)(?:\.(\d+))?e(.*)$/.exec((value ?? 0).toExponential(digits - 1)) ?? [];
    const mantissa = value === null ? previous : isWhole ? value : Number(`${sign}${whole}${fraction}`);
    const power = value === null ? -32_768 : isWhole || value === 0 ? 0 : Number(exponent) - digits + 1;
    bytes[index] = power;
    bytes[length + index] = power >> 8;
    const difference = (mantissa - previous) | 0;
    const folded = (difference << 1) ^ (difference >> 31);
    for (let plane = 0; plane < 4; plane++) bytes[(2 + plane) * length + index] = folded >> (8 * plane);
    previous = mantissa;
  }
  return packed(bytes);
}

/** Bytes as base64 of their raw DEFLATE. */
export function packed(bytes: Uint8Array): string {
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}

const maxFrames = 1000;
/** Maximum number of positions in all frames, which a browser can unpack and draw without delay. */
const maxPlaces = 600_000;
/** Maximum size of a single replay, and of all replays together, for a file that can be sent by e-mail. */
const maxCharacters = { ofOne: 800_000, ofSeveral: 500_000 } as const;
const components = 2;

/** Key frames of the embedding in one fixed linear view. */
export interface ReplayFrames {
  readonly steps: readonly number[];
  readonly tokens: readonly { readonly name: string; readonly dead: boolean }[];
  /** Size of the view in units of the weights: 65535 in `places` is the end of an axis. */
  readonly width: number;
  readonly height: number;
  /** Share of the variance along each axis of the view. */
  readonly explained: readonly number[];
  /** `[frames, tokens, 2]`, packed by `packedFrames`. */
  readonly places: string;
  /** `[frames, tokens]`, packed by `packedFrames`: the first row with the same value. Equal numbers are one black hole. */
  readonly classes: string;
}

/**
 * The frames of a run from its first state to the last one that moves; undefined if they are too large or show only one point.
 * @param share of the report's limits, if it has several replays.
 */
export async function replayFrames(run: RunSource, share = 1): Promise<ReplayFrames | undefined> {
  const { tokens } = await run.history();
  const basis = await basisOfRun(run);
  if (basis.axes.length < components) return undefined;
  const characters = share === 1 ? maxCharacters.ofOne : share * maxCharacters.ofSeveral;
  let most = Math.min(maxFrames, Math.floor((share * maxPlaces) / tokens));
  while (most >= 2) {
    const seen = await seenStates(run, basis, most);
    const frames = await framesOf(run, basis, seen, boundsOf([seen]));
    const excess = (frames.places.length + frames.classes.length) / characters;
    if (excess <= 1) return frames;
    most = Math.floor((0.95 * most) / excess);
  }
  return undefined;
}

/**
 * The frames of several runs in one view, the principal components of all of them together, so that positions can be compared; undefined if their rows
 * differ, or as `replayFrames`.
 */
export async function sharedFrames(runs: readonly RunSource[]): Promise<ReplayFrames[] | undefined> {
  const [first, ...others] = await Promise.all(runs.map((run) => run.history()));
  if (!first || others.some((other) => rowDifference(first, other) !== undefined)) return undefined;
  const basis = await sharedBasis([first, ...others], { axes: components, work: 1e9, signal: runs[0]?.scan.signal });
  if (basis.axes.length < components) return undefined;
  let most = Math.min(maxFrames, Math.floor(maxPlaces / runs.length / first.tokens));
  while (most >= 2) {
    const seen: SeenStates[] = [];
    for (const run of runs) seen.push(await seenStates(run, basis, most));
    const bounds = boundsOf(seen);
    const frames = await Promise.all(runs.map((run, index) => framesOf(run, basis, seen[index] as SeenStates, bounds)));
    const excess = frames.reduce((sum, { places, classes }) => sum + places.length + classes.length, 0) / maxCharacters.ofSeveral;
    if (excess <= 1) return frames;
    most = Math.floor((0.95 * most) / excess);
  }
  return undefined;
}

/** States of a run with the positions and classes of their rows. */
interface SeenStates {
  readonly states: readonly number[];
  /** `[states, tokens, 2]`. */
  readonly seen: Float64Array;
  /** `[states, tokens]`. */
  readonly classes: Uint16Array;
}

async function seenStates(run: RunSource, basis: PathBasis, most: number): Promise<SeenStates> {
  const history = await run.history();
  const states = spreadStates(lastMovingState((await run.analysis()).motion?.frozenFraction, history.states) + 1, most);
  const seen = new Float64Array(states.length * history.tokens * components);
  const classes = new Uint16Array(states.length * history.tokens);
  for (const [frame, state] of states.entries()) {
    const matrix = readState(history, state);
    classes.set(rowClasses(rowValues(matrix.dtype, matrix.bytes, matrix.columns), selectRows(matrix.rows)), frame * history.tokens);
    forEachRow(matrix, (values, row) => {
      const [x = 0, y = 0] = values.every(Number.isFinite) ? seenFrom(basis, values) : [];
      seen.set([x, y], (frame * history.tokens + row) * components);
    });
  }
  return { states, seen, classes };
}

async function framesOf(run: RunSource, basis: PathBasis, { states, seen, classes }: SeenStates, [x, y]: readonly [Bounds, Bounds]): Promise<ReplayFrames> {
  const history = await run.history();
  const { ofRow } = await tokenGroups(run);
  return {
    steps: states.map((state) => stepOfState(history, state)),
    tokens: Array.from({ length: history.tokens }, (_, row) => {
      const token = history.rowTokens.ofRow(row);
      return { name: tokenName(token, history.rowTokens.text?.(token)), dead: ofRow[row] === 1 };
    }),
    width: x.length,
    height: y.length,
    explained: basis.explained.slice(0, components),
    places: packedFrames(
      Uint16Array.from(seen, (value, index) => {
        const { low, length } = index % components === 0 ? x : y;
        return Math.round((65_535 * (value - low)) / length);
      }),
      components * history.tokens,
    ),
    classes: packedFrames(classes, history.tokens),
  };
}

/** Entry i of `frozenFraction` describes the move to state i + 1. */
function lastMovingState(frozenFraction: readonly number[] | undefined, states: number): number {
  const frozen = frozenFraction?.indexOf(1) ?? -1;
  return frozen < 0 ? states - 1 : frozen;
}

/** The start and length of an axis, which is never 0. */
type Bounds = { readonly low: number; readonly length: number };

/** The bounds of both axes over all positions. */
function boundsOf(parts: readonly SeenStates[]): [Bounds, Bounds] {
  const along = (axis: number): Bounds => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { seen } of parts) {
      for (let index = axis; index < seen.length; index += components) {
        low = Math.min(low, seen[index] ?? low);
        high = Math.max(high, seen[index] ?? high);
      }
    }
    return { low, length: high - low || 1 };
  };
  return [along(0), along(1)];
}
