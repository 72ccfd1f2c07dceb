import { deflateRawSync } from "node:zlib";
import { rowClasses, selectRows } from "../analysis/census/census.js";
import { rowValues } from "../analysis/census/row-values.js";
import { forEachRow } from "../analysis/elements.js";
import { seenFrom } from "../analysis/geometry/path-basis.js";
import { spreadStates } from "../analysis/states.js";
import { basisOfRun } from "../figures/runs/cloud.js";
import type { RunSource } from "../figures/runs/run-figure.js";
import { shownToken, tokenGroups } from "../figures/tokens.js";
import { readState, stepOfState } from "../formats/history.js";

// What a report embeds goes into an e-mail: it is packed here, and a browser unpacks it by itself (`web/report/unpacked.ts`).

/** A text as base64 of its raw DEFLATE. */
export function packedText(text: string): string {
  return packed(Buffer.from(text, "utf8"));
}

/**
 * Frames of numbers, packed as what changes from one to the next: most of it is nothing or little.
 *
 * Each number is its difference from that of the frame before, modulo 2^16 and folded so that small differences of both signs are small (0, −1, 1, −2, …
 * become 0, 1, 2, 3, …); all low bytes come before all high bytes. Base64 of their raw DEFLATE.
 *
 * @param width numbers in a frame.
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

function packed(bytes: Uint8Array): string {
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}

const mostFrames = 1000;
/** Places of rows, of all frames together: what a browser unpacks and draws without a wait. */
const mostPlaces = 600_000;
/** Of the replay of a report, and of all replays where there are several, as they are packed: a file that goes into an e-mail holds no more. */
const mostCharacters = { ofOne: 800_000, ofSeveral: 500_000 } as const;
const components = 2;

/** Key frames of the embedding in one fixed linear view: enough to play a training. */
export interface ReplayFrames {
  readonly steps: readonly number[];
  readonly tokens: readonly { readonly name: string; readonly dead: boolean }[];
  /** How wide and how high the view is, in weights: 65535 of `places` is one end of its own axis. */
  readonly width: number;
  readonly height: number;
  /** `[frames, tokens, 2]`, packed as `packedFrames` says. */
  readonly places: string;
  /** `[frames, tokens]`, packed likewise: the first row with the same value. Equal numbers are one black hole. */
  readonly classes: string;
}

/**
 * The frames of a run from its first state to the one from which nothing moves any more; undefined where they would be too large, or show one point.
 *
 * @param share of what a report may hold, where it has several replays.
 */
export async function replayFrames(run: RunSource, share = 1): Promise<ReplayFrames | undefined> {
  const { tokens } = await run.history();
  if ((await basisOfRun(run)).axes.length < components) return undefined;
  const characters = share === 1 ? mostCharacters.ofOne : share * mostCharacters.ofSeveral;
  let most = Math.min(mostFrames, Math.floor((share * mostPlaces) / tokens));
  while (most >= 2) {
    const frames = await framesOf(run, most);
    const excess = (frames.places.length + frames.classes.length) / characters;
    if (excess <= 1) return frames;
    most = Math.floor((0.95 * most) / excess);
  }
  return undefined;
}

async function framesOf(run: RunSource, most: number): Promise<ReplayFrames> {
  const history = await run.history();
  const basis = await basisOfRun(run);
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
  const [x, y] = [boundsOf(seen, 0), boundsOf(seen, 1)];
  const { ofRow } = await tokenGroups(run);
  return {
    steps: states.map((state) => stepOfState(history, state)),
    tokens: Array.from({ length: history.tokens }, (_, row) => {
      const token = history.rowTokens.ofRow(row);
      return { name: shownToken(token, history.rowTokens.text?.(token)), dead: ofRow[row] === 1 };
    }),
    width: x.length,
    height: y.length,
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

/** Entry i of `frozenFraction` is of the move to state i + 1. */
function lastMovingState(frozenFraction: readonly number[] | undefined, states: number): number {
  const frozen = frozenFraction?.indexOf(1) ?? -1;
  return frozen < 0 ? states - 1 : frozen;
}

/** Where the places on one axis begin, and how far they go; an axis on which nothing moves has a length all the same. */
function boundsOf(seen: Float64Array, axis: number): { low: number; length: number } {
  const own = seen.filter((_, index) => index % components === axis);
  const low = own.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = own.reduce((greatest, value) => Math.max(greatest, value), Number.NEGATIVE_INFINITY);
  return { low, length: high - low || 1 };
}
