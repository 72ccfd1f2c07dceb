import type { History } from "../formats/history.js";
import type { RunSource } from "./runs/run-figure.js";

const named: Readonly<Record<string, string>> = { " ": "␣", "\n": "⏎", "\t": "⇥" };

/** A token as a figure names it: its sign, or its number where it has none that can be seen. @param text how it is written, where that is known */
export function shownToken(token: number, text: string | null | undefined): string {
  if (text === null || text === undefined) return String(token);
  const sign = named[text] ?? text;
  if (/^\d+$/.test(sign)) return `'${sign}'`;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(sign) ? sign : String(token);
}

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
