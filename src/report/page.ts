import type { Figure } from "../figures/figure.js";
import type { FigureOrAbsent } from "../figures/run-figures.js";
import type { ReplayFrames } from "./replay-frames.js";
import type { Scene } from "./story.js";

/** A part of a section, with plain texts that the writers escape. */
export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "figure"; readonly figure: Figure }
  | { readonly kind: "story"; readonly scenes: readonly Scene[] }
  | { readonly kind: "replay"; readonly runs: readonly ReplayedRun[] }
  /** Two runs at a time, whose frames are in one view. */
  | { readonly kind: "pair"; readonly runs: readonly ReplayedRun[] };

/** A run in a replay, with its name in the report. */
export type ReplayedRun = { readonly label: string; readonly frames: ReplayFrames };

export interface Section {
  readonly title: string;
  readonly folded: boolean;
  readonly blocks: readonly Block[];
}

/** A report before it becomes HTML or Markdown. */
export interface Page {
  readonly title: string;
  readonly verdict: { readonly result: string; readonly reason: string } | null;
  readonly summary: readonly (readonly [label: string, text: string])[];
  readonly sections: readonly Section[];
  /** Data that a reader can save as JSON, besides the figures. */
  readonly data: Readonly<Record<string, unknown>>;
}

export function section(title: string, ...blocks: readonly Block[]): Section {
  return { title, folded: false, blocks };
}

export function foldedSection(title: string, ...blocks: readonly Block[]): Section {
  return { title, folded: true, blocks };
}

export const text = (words: string): Block => ({ kind: "text", text: words });
export const list = (items: readonly string[]): Block => ({ kind: "list", items });
export const code = (lines: string): Block => ({ kind: "code", text: lines });
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): Block => ({ kind: "table", head, rows });

export function drawn(figures: readonly FigureOrAbsent[]): Block[] {
  return figures.flatMap((each) => ("figure" in each ? [{ kind: "figure" as const, figure: each.figure }] : []));
}

/** The pitfalls of a run or an experiment, with their corrections. */
export function pitfallTable(pitfalls: readonly { readonly what: string; readonly corrected: string }[]): Block {
  const rows = pitfalls.map(({ what, corrected }) => [what, corrected]);
  return table(["pitfall", "corrected by"], rows);
}
