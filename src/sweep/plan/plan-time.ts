import { cachedCompileSeconds } from "./compiled-steps.js";

/** What a worker does at a stretch: a trial, or a stack of them. */
export interface Work {
  /** Of its steps. */
  seconds: number;
  /** Of the step that is compiled before the first; null where none is. */
  shape: string | null;
}

/** What is known of compiling where the work is done. */
interface Compiling {
  /** Shapes that have been compiled there. */
  known: ReadonlySet<string>;
  /** What the first time takes. */
  firstSeconds: number;
}

/** Seconds until all is done: each worker takes the next work when it is free, and compiles what none has compiled by then. */
export function planTime(works: readonly Work[], workers: number, { known, firstSeconds }: Compiling): number {
  const freeAt = Array.from({ length: workers }, () => 0);
  const compiledAt = new Map([...known].map((shape) => [shape, 0]));
  for (const { seconds, shape } of works) {
    const start = Math.min(...freeAt);
    const compiling = shape === null ? 0 : start >= (compiledAt.get(shape) ?? Number.POSITIVE_INFINITY) ? cachedCompileSeconds : firstSeconds;
    if (shape !== null && !compiledAt.has(shape)) compiledAt.set(shape, start + compiling);
    freeAt[freeAt.indexOf(start)] = start + compiling + seconds;
  }
  return Math.max(0, ...freeAt);
}
