import type { History } from "../formats/history.js";
import type { RunSource } from "./runs/run-figure.js";

const named: Readonly<Record<string, string>> = { " ": "␣", "\n": "⏎", "\t": "⇥" };

/** A token's name in a figure: its text, or its number if it has no visible text. @param text its text, if known. */
export function shownToken(token: number, text: string | null | undefined): string {
  if (text === null || text === undefined) return String(token);
  const sign = named[text] ?? text;
  if (/^\d+$/.test(sign)) return `'${sign}'`;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(sign) ? sign : String(token);
}

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
