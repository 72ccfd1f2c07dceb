import type { History } from "../../formats/history.js";
import type { ScanOptions } from "../scan/observation.js";
import { runHere } from "../scan/run-in-parts.js";
import { classSizes } from "./class-changes.js";
import { classesOfStates } from "./whereabouts.js";

/** A black hole over the snapshots in which it exists. */
interface HoleLife {
  readonly largest: number;
  /** The first and the last snapshot that have it. */
  readonly first: number;
  readonly last: number;
}

/**
 * The black hole of every row in every snapshot, as spans of equal whereabouts.
 *
 * Black holes are numbered from 1 by their largest population. Span i starts at snapshot `from[i]` in black hole `hole[i]`, or alone if that is 0. The spans of a row are
 * `start[row]` to `start[row + 1] − 1`, in order; each ends where the next one starts.
 */
export interface TokenLives {
  readonly states: number;
  readonly rows: number;
  readonly start: Int32Array;
  readonly from: Int32Array;
  readonly hole: Int32Array;
  /** Black hole n is at index n − 1. */
  readonly holes: readonly HoleLife[];
}

/** Members that a new black hole shares with one that had dissolved, to count as that one again. */
const fewestReturned = 2;

/**
 * Follows black holes from snapshot to snapshot.
 *
 * A black hole passes its identity on to the black hole that holds most of its members; each identity goes to one black hole only. One that forms from at least two members
 * of a dissolved black hole is that one again.
 */
export class HoleTracker {
  #states = 0;
  #classes: Int32Array | undefined;
  /** Identity of the black hole of each row now, 0 if it is alone, and of the last one that it was in. */
  #now: Int32Array;
  readonly #latest: Int32Array;
  /** Changes of rows, in order of snapshots. */
  readonly #changes = { row: [] as number[], from: [] as number[], hole: [] as number[] };
  readonly #holes: { largest: number; first: number; last: number }[] = [];

  constructor(rows: number) {
    this.#now = new Int32Array(rows);
    this.#latest = new Int32Array(rows);
  }

  /** Number of snapshots that were added. */
  get states(): number {
    return this.#states;
  }

  get rows(): number {
    return this.#now.length;
  }

  /** Add the next snapshot. @param classes for each row, the first row with the same value. */
  add(classes: Int32Array): void {
    const state = this.#states++;
    if (this.#classes !== undefined && equalClasses(this.#classes, classes)) return;
    this.#close(state - 1);
    this.#classes = classes.slice();
    const sizes = classSizes(classes);
    const named = this.#identities(classes, sizes);
    for (const [first, id] of named) {
      const hole = this.#holes[id - 1];
      if (hole) hole.largest = Math.max(hole.largest, sizes[first] ?? 0);
      else this.#holes.push({ largest: sizes[first] ?? 0, first: state, last: state });
    }
    for (let row = 0; row < classes.length; row++) {
      const id = named.get(classes[row] ?? row) ?? 0;
      if (id > 0) this.#latest[row] = id;
      if (state > 0 && id === this.#now[row]) continue;
      this.#now[row] = id;
      this.#changes.row.push(row);
      this.#changes.from.push(state);
      this.#changes.hole.push(id);
    }
  }

  /** The spans of all rows so far. */
  lives(): TokenLives {
    this.#close(this.#states - 1);
    const rows = this.#now.length;
    const order = [...this.#holes.keys()].sort((a, b) => this.#compare(a, b));
    const numbers = new Int32Array(order.length + 1);
    for (const [at, index] of order.entries()) numbers[index + 1] = at + 1;
    const start = new Int32Array(rows + 1);
    for (const row of this.#changes.row) start[row + 1] = (start[row + 1] ?? 0) + 1;
    for (let row = 0; row < rows; row++) start[row + 1] = (start[row + 1] ?? 0) + (start[row] ?? 0);
    const place = start.slice();
    const from = new Int32Array(this.#changes.row.length);
    const hole = new Int32Array(from.length);
    for (const [at, row] of this.#changes.row.entries()) {
      const index = place[row] ?? 0;
      place[row] = index + 1;
      from[index] = this.#changes.from[at] ?? 0;
      hole[index] = numbers[this.#changes.hole[at] ?? 0] ?? 0;
    }
    return { states: this.#states, rows, start, from, hole, holes: order.map((index) => ({ ...(this.#holes[index] ?? { largest: 0, first: 0, last: 0 }) })) };
  }

  #compare(a: number, b: number): number {
    const [one, other] = [this.#holes[a], this.#holes[b]];
    return (other?.largest ?? 0) - (one?.largest ?? 0) || (one?.first ?? 0) - (other?.first ?? 0) || a - b;
  }

  /** The black holes of the current classes exist up to a snapshot. */
  #close(state: number): void {
    for (const id of new Set(this.#now)) {
      const hole = this.#holes[id - 1];
      if (hole) hole.last = state;
    }
  }

  /** The identity of each class of several rows, by its first row. */
  #identities(classes: Int32Array, sizes: Int32Array): Map<number, number> {
    const named = new Map<number, number>();
    const taken = new Set<number>();
    const inherit = (of: Int32Array, fewest: number) => {
      for (const { first, id } of sharedMembers(classes, sizes, of, fewest)) {
        if (named.has(first) || taken.has(id)) continue;
        named.set(first, id);
        taken.add(id);
      }
    };
    inherit(this.#now, 1);
    inherit(this.#latest, fewestReturned);
    let next = this.#holes.length;
    for (const [first, size] of sizes.entries()) if (size > 1 && !named.has(first)) named.set(first, ++next);
    return named;
  }
}

/** Pairs of a class and an earlier black hole that share members: most members first. */
function sharedMembers(classes: Int32Array, sizes: Int32Array, holes: Int32Array, fewest: number) {
  const shared = new Map<number, Map<number, number>>();
  for (const [row, first] of classes.entries()) {
    const id = holes[row] ?? 0;
    if ((sizes[first] ?? 0) < 2 || id === 0) continue;
    const ofClass = shared.get(first) ?? new Map<number, number>();
    shared.set(first, ofClass.set(id, (ofClass.get(id) ?? 0) + 1));
  }
  const pairs = [...shared].flatMap(([first, ids]) => [...ids].map(([id, members]) => ({ first, id, members })));
  return pairs.filter(({ members }) => members >= fewest).sort((a, b) => b.members - a.members || a.id - b.id || a.first - b.first);
}

function equalClasses(one: Int32Array, other: Int32Array): boolean {
  return one.every((first, row) => first === other[row]);
}

/**
 * The lives of all rows of a history, read once in the memory of one snapshot and of the spans.
 * @throws {BhBridgeError} `ABORTED`; read errors.
 */
export async function tokenLives(history: History, options: ScanOptions = {}): Promise<TokenLives> {
  const tracker = new HoleTracker(history.tokens);
  await runHere(trackStates(history, tracker), history.states, options);
  return tracker.lives();
}

/** Add the snapshots of a history that a tracker has not seen. Yields the number of snapshots so far. */
export function* trackStates(history: History, tracker: HoleTracker): Generator<number, void> {
  for (const { classes } of classesOfStates(history, tracker.states)) {
    tracker.add(classes);
    yield tracker.states;
  }
}

/**
 * Rows in the order in which a picture of their lives can be read: by the black hole that they start in, in it by the snapshot in which they leave it, those that never
 * leave first. Rows that start alone come last, in the order of their first black hole. Dead rows precede live ones that do the same.
 */
export function lifeOrder({ rows, start, from, hole, holes, states }: TokenLives, isDead: (row: number) => boolean): number[] {
  const keys = Array.from({ length: rows }, (_, row) => {
    const [first = 0, next = 0] = [start[row], start[row + 1]];
    const initial = hole[first] ?? 0;
    const left = next > first + 1 ? (from[first + 1] ?? states) : states;
    return initial > 0 ? [initial, -left, Number(!isDead(row))] : [holes.length + 1, left, Number(!isDead(row))];
  });
  return [...keys.keys()].sort((a, b) => {
    const [one = [], other = []] = [keys[a], keys[b]];
    return (one[0] ?? 0) - (other[0] ?? 0) || (one[1] ?? 0) - (other[1] ?? 0) || (one[2] ?? 0) - (other[2] ?? 0) || a - b;
  });
}
