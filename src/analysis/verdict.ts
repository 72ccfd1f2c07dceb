import type { Census } from "./census.js";
import { type Degeneracy, degeneracyExplanations } from "./degeneracy.js";

/** What a run says about the hypothesis that black holes split or lose tokens. */
export interface Verdict {
  readonly result: "null" | "positive" | "degenerate";
  /** The counts that decided, in one sentence. */
  readonly reason: string;
}

export interface VerdictInput {
  /** Of the last state, over the whole vocabulary. */
  readonly census: Pick<Census, "C" | "P">;
  /** Tokens of the vocabulary that never appear in the corpus. */
  readonly deadTokens: number;
  /** What makes the history unfit to be scored; empty when it is sound. */
  readonly degenerate: readonly Degeneracy[];
}

function holes(count: number): string {
  return `${count} black ${count === 1 ? "hole" : "holes"}`;
}

/** Positive when C > 1 or P < dead tokens, else null; a degenerate input is named and not scored. */
export function verdict({ census, deadTokens, degenerate }: VerdictInput): Verdict {
  if (degenerate.length > 0) {
    return { result: "degenerate", reason: `not scored: ${degenerate.map((name) => degeneracyExplanations[name]).join("; ")}` };
  }
  const { C, P } = census;
  if (C > 1) return { result: "positive", reason: `${holes(C)} where one was expected (P = ${P}, ${deadTokens} dead tokens)` };
  if (P < deadTokens) return { result: "positive", reason: `${P} of ${deadTokens} dead tokens are in a black hole (C = ${C})` };
  return { result: "null", reason: `${holes(C)} of ${P} tokens: no split, and no dead token left it (${deadTokens} dead tokens)` };
}
