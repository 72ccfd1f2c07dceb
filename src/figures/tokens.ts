import type { History } from "../formats/history.js";
import type { RunSource } from "./runs/run-figure.js";

export const tokenGroupNames = ["live tokens", "dead tokens"] as const;
export type TokenGroup = (typeof tokenGroupNames)[number];

/** The rows of a run, grouped into live tokens and dead ones, which never appear in the text. */
export interface TokenGroups {
  readonly names: readonly TokenGroup[];
  /** Index of the group of each row. */
  readonly ofRow: Uint8Array;
}

/** The groups of a history's rows. @param history a history of the run (default: of the embedding). */
export async function tokenGroups(run: RunSource, history?: History): Promise<TokenGroups> {
  const { tokens, rowTokens } = history ?? (await run.history());
  const dead = new Set(run.manifest.corpus.deadTokens);
  const ofRow = Uint8Array.from({ length: tokens }, (_, row) => Number(dead.has(rowTokens.ofRow(row))));
  return { names: tokenGroupNames, ofRow };
}
