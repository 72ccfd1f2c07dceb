import { type History, stepsOf } from "../../formats/history.js";
import { groupDigits } from "../../text/format.js";
import { rowClasses, selectRows } from "../census/census.js";
import { createRowHasher, hashWords } from "../census/row-hashes.js";
import { defaultKernels } from "../kernels/load-kernels.js";
import type { ScanOptions } from "../scan/observation.js";
import { runHere } from "../scan/run-in-parts.js";
import { classSizes } from "./class-changes.js";

/** Live tokens that leave their black hole in the same step. */
export interface Departure {
  /** Index of the first snapshot in which they are alone. */
  readonly state: number;
  readonly tokens: readonly number[];
}

/** Where live and dead tokens are in each snapshot. Together: in a black hole. Alone: the only token with its row. */
export interface Whereabouts {
  /** Training step of each snapshot. */
  readonly steps: readonly number[];
  /** Numbers of tokens, one entry per snapshot. */
  readonly counts: Readonly<Record<"deadTogether" | "deadAlone" | "liveTogether" | "liveAlone", readonly number[]>>;
  readonly dead: {
    readonly tokens: number;
    /** Black holes of the first snapshot with two or more dead tokens, and these tokens. */
    readonly holes: number;
    readonly inHoles: number;
    /** Number of further rows that these tokens have in each snapshot; 0 while none has parted. */
    readonly partings: readonly number[];
  };
  readonly live: {
    readonly tokens: number;
    /** Tokens that some snapshot has in a black hole. */
    readonly everTogether: number;
    /** Tokens of these that are alone at the end. */
    readonly left: number;
    /** Tokens in a black hole at the end that were alone in between. */
    readonly returned: number;
    /** Tokens in a black hole at the end that were alone at the start and never left one. */
    readonly joined: number;
    readonly first: Departure | null;
    readonly last: Departure | null;
  };
  /** Rows with NaN at the end, and the first snapshot with one. */
  readonly nan: { readonly rows: number; readonly state: number } | null;
}

/** The classes of the rows of every snapshot from `first` on, in the memory of one snapshot: for each row the first row with the same value, and whether it has NaN. */
export function* classesOfStates(history: History, first = 0): Generator<{ readonly classes: Int32Array; readonly isNan: (row: number) => boolean }, void> {
  const { dtype, dims, tokens, states } = history;
  const hasher = createRowHasher(dtype, dims, tokens, defaultKernels());
  const rows = selectRows(tokens);
  for (let state = first; state < states; state++) {
    history.read(state, 1, hasher.rows(tokens));
    const hashes = hasher.hash(tokens); // makes the bytes of equal rows equal
    const { buffer, byteOffset, byteLength } = hasher.rows(tokens);
    const memory = Buffer.from(buffer, byteOffset, byteLength);
    const size = byteLength / tokens;
    const isNan = (row: number) => hashes[row * hashWords] === 0 && hashes[row * hashWords + 1] === 0;
    const values = {
      hash: (row: number) => (isNan(row) ? null : ((hashes[row * hashWords] ?? 0) ^ (hashes[row * hashWords + 1] ?? 0)) | 0),
      equal: (a: number, b: number) => memory.compare(memory, b * size, (b + 1) * size, a * size, (a + 1) * size) === 0,
    };
    yield { classes: rowClasses(values, rows), isNan };
  }
}

/** Follows tokens from snapshot to snapshot. */
class Follower {
  readonly #isDead: Uint8Array;
  readonly #wasTogether: Uint8Array;
  readonly #everTogether: Uint8Array;
  readonly #startedTogether: Uint8Array;
  readonly #firstLeft: Int32Array;
  readonly #lastLeft: Int32Array;
  /** The dead tokens that share a row at the start, by that row. */
  #deadHoles: number[][] = [];
  #nan: { rows: number; state: number } | null = null;
  readonly #partings: number[] = [];
  readonly #counts = { deadTogether: [] as number[], deadAlone: [] as number[], liveTogether: [] as number[], liveAlone: [] as number[] };

  constructor(isDead: Uint8Array) {
    const rows = isDead.length;
    this.#isDead = isDead;
    [this.#wasTogether, this.#everTogether, this.#startedTogether] = [new Uint8Array(rows), new Uint8Array(rows), new Uint8Array(rows)];
    [this.#firstLeft, this.#lastLeft] = [new Int32Array(rows), new Int32Array(rows)];
  }

  add(state: number, classes: Int32Array, isNan: (row: number) => boolean): void {
    const sizes = classSizes(classes);
    const counts = [0, 0, 0, 0]; // live alone, live together, dead alone, dead together
    let nan = 0;
    for (let row = 0; row < classes.length; row++) {
      const together = Number((sizes[classes[row] ?? row] ?? 0) > 1);
      const kind = 2 * (this.#isDead[row] ?? 0) + together;
      counts[kind] = (counts[kind] ?? 0) + 1;
      const broken = isNan(row);
      nan += Number(broken);
      if (this.#wasTogether[row] && !together && !broken) {
        this.#firstLeft[row] ||= state;
        this.#lastLeft[row] = state;
      }
      if (state === 0) this.#startedTogether[row] = together;
      this.#wasTogether[row] = together;
      this.#everTogether[row] ||= together;
    }
    for (const [kind, name] of (["liveAlone", "liveTogether", "deadAlone", "deadTogether"] as const).entries()) this.#counts[name].push(counts[kind] ?? 0);
    if (state === 0) this.#deadHoles = this.#holesOfDead(classes);
    this.#partings.push(this.#deadHoles.reduce((sum, hole) => sum + new Set(hole.map((row) => classes[row])).size - 1, 0));
    this.#nan = nan === 0 ? null : { rows: nan, state: this.#nan?.state ?? state };
  }

  #holesOfDead(classes: Int32Array): number[][] {
    const holes = new Map<number, number[]>();
    for (const [row, first] of classes.entries()) if (this.#isDead[row]) holes.set(first, [...(holes.get(first) ?? []), row]);
    return [...holes.values()].filter((hole) => hole.length > 1);
  }

  end(steps: readonly number[], tokenOf: (row: number) => number): Whereabouts {
    const live = [...this.#isDead.keys()].filter((row) => !this.#isDead[row]);
    const ever = live.filter((row) => this.#everTogether[row]);
    const left = live.filter((row) => (this.#lastLeft[row] ?? 0) > 0);
    const departure = (of: Int32Array, pick: (states: number[]) => number): Departure | null => {
      if (left.length === 0) return null;
      const state = pick(left.map((row) => of[row] ?? 0));
      return { state, tokens: left.filter((row) => of[row] === state).map(tokenOf) };
    };
    return {
      steps,
      counts: this.#counts,
      dead: {
        tokens: this.#isDead.length - live.length,
        holes: this.#deadHoles.length,
        inHoles: this.#deadHoles.flat().length,
        partings: this.#partings,
      },
      live: {
        tokens: live.length,
        everTogether: ever.length,
        left: ever.filter((row) => !this.#wasTogether[row]).length,
        returned: left.filter((row) => this.#wasTogether[row]).length,
        joined: ever.filter((row) => this.#wasTogether[row] && !this.#startedTogether[row] && !this.#lastLeft[row]).length,
        first: departure(this.#firstLeft, (states) => states.reduce((one, other) => Math.min(one, other))),
        last: departure(this.#lastLeft, (states) => states.reduce((one, other) => Math.max(one, other))),
      },
      nan: this.#nan,
    };
  }
}

/**
 * Where live and dead tokens are in each snapshot of a history, read once in the memory of one snapshot.
 * @param deadTokens tokens that never appear in the text; those without a row are ignored.
 * @throws {BhBridgeError} `ABORTED`; read errors.
 */
export async function whereabouts(history: History, deadTokens: readonly number[], options: ScanOptions = {}): Promise<Whereabouts> {
  const { rowTokens, tokens, states } = history;
  const dead = new Set(deadTokens);
  const follower = new Follower(Uint8Array.from({ length: tokens }, (_, row) => Number(dead.has(rowTokens.ofRow(row)))));
  function* followed(): Generator<number, void> {
    let state = 0;
    for (const { classes, isNan } of classesOfStates(history)) {
      follower.add(state++, classes, isNan);
      yield state;
    }
  }
  await runHere(followed(), states, options);
  return follower.end(stepsOf(history), (row) => rowTokens.ofRow(row));
}

/** The finding of a run in one sentence without a full stop: `The 51 dead tokens never part; live tokens leave between steps 1 and 214`. */
export function findingOf(found: Whereabouts): string {
  const clauses = [deadClause(found), liveClause(found), nanClause(found)].filter((clause) => clause !== "");
  return clauses.join("; ");
}

/** The step of a snapshot, or the steps around it where the one before it was not recorded: `step 30`, `steps 20 and 30`. */
function range(steps: readonly number[], first: number, last = first): string {
  const [before = 0, from = 0, to = 0] = [steps[first - 1], steps[first], steps[last]];
  const start = from - before === 1 ? from : before;
  return start === to ? `at step ${groupDigits(to)}` : `between steps ${groupDigits(start)} and ${groupDigits(to)}`;
}

function deadClause({ steps, counts, dead: { tokens, holes, inHoles, partings } }: Whereabouts): string {
  if (tokens === 0) return "No dead tokens";
  if (tokens === 1) return "The only dead token has no other to part from";
  const all = `${groupDigits(tokens)} dead tokens`;
  if (holes === 0) {
    const together = counts.deadTogether.at(-1) ?? 0;
    return `No two of the ${all} share a row at the start${together > 0 ? `, ${groupDigits(together)} are in black holes at the end` : ""}`;
  }
  const who = inHoles === tokens ? `The ${all}` : `${groupDigits(inHoles)} of the ${all}`;
  const where = holes === 1 ? (inHoles === tokens ? "" : " share a row and") : ` start in ${groupDigits(holes)} black holes and`;
  const first = partings.findIndex((rows) => rows > 0);
  if (steps.length === 1) return `${who} share ${holes === 1 ? "a row" : `${groupDigits(holes)} rows`} before the first step`;
  if (first < 0) return `${who}${where} never part`;
  const rows = partings.at(-1) ?? 0;
  return `${who}${where} part ${range(steps, first)} and ${rows === 0 ? "are together again at the end" : `have ${groupDigits(holes + rows)} rows at the end`}`;
}

function liveClause({ steps, live: { tokens, everTogether, left, returned, joined, first, last } }: Whereabouts): string {
  if (tokens === 0) return "no live tokens";
  if (everTogether === 0) return "live tokens never share a row";
  if (steps.length === 1) return `${groupDigits(everTogether)} of ${groupDigits(tokens)} live tokens are in black holes`;
  const others = [...(returned > 0 ? [`${groupDigits(returned)} return`] : []), ...(joined > 0 ? [`${groupDigits(joined)} join`] : [])];
  const also = others.length > 0 ? `, ${others.join(" and ")}` : "";
  if (first === null || last === null || left === 0) return first === null ? `no live token leaves${also}` : `no live token leaves for good${also}`;
  const who = left === tokens ? "live tokens" : `${groupDigits(left)} of ${groupDigits(tokens)} live tokens`;
  return `${who} leave ${range(steps, first.state, last.state)}${also}`;
}

function nanClause({ steps, nan }: Whereabouts): string {
  return nan === null ? "" : `${groupDigits(nan.rows)} ${nan.rows === 1 ? "row is" : "rows are"} NaN, first ${range(steps, nan.state)}`;
}
