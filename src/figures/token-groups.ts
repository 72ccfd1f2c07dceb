import type { History } from "../formats/history.js";
import type { RunSource } from "./runs/run-source.js";

export const tokenGroupNames = ["live tokens", "dead tokens"] as const;
export type TokenGroup = (typeof tokenGroupNames)[number];

/** The rows of a run by what their tokens are: those that the text has, and dead ones, which it never has. */
export interface TokenGroups {
  readonly names: readonly TokenGroup[];
  /** Index of the group of each row. */
  readonly ofRow: Uint8Array;
}

/** Live and dead rows of a history of a run, by default of the embedding's. */
export async function tokenGroups(run: RunSource, history?: History): Promise<TokenGroups> {
  const { tokens, rowTokens } = history ?? (await run.history());
  const dead = new Set(run.manifest.corpus.deadTokens);
  const ofRow = Uint8Array.from({ length: tokens }, (_, row) => Number(dead.has(rowTokens.ofRow(row))));
  return { names: tokenGroupNames, ofRow };
}
