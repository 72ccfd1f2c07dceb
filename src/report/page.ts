import type { Figure, Source } from "../figures/figure.js";
import type { FigureOrAbsent } from "../figures/run-figures.js";
import type { GlossaryEntry } from "../text/glossary.js";
import type { ReplayFrames } from "./replay-frames.js";
import type { Retraining } from "./retraining.js";
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
  | { readonly kind: "pair"; readonly runs: readonly ReplayedRun[] }
  /** A run whose first steps the reader's browser can train again. */
  | { readonly kind: "retraining"; readonly retraining: Retraining };

/** A run in a replay, with its name in the report. */
export type ReplayedRun = {
  readonly label: string;
  readonly frames: ReplayFrames;
  /** Recorded steps and P at each, packed by `packedColumn`, if the runs of a pair can be exchanged. */
  readonly counts?: { readonly source: Source; readonly steps: string; readonly P: string };
};

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
  /** Terms to explain (default: all). */
  readonly terms?: readonly GlossaryEntry["key"][];
  /** What the report was made from (default: the files of the runs). */
  readonly madeFrom?: string;
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

/** The figure of a replay of two runs, which follows those of the runs. */
export function figuresOfPair(sections: readonly Section[]): FigureOrAbsent[] {
  const isPair = ({ blocks }: Section) => blocks.some(({ kind }) => kind === "pair");
  return sections.filter(isPair).flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === "figure" ? [{ figure: block.figure }] : [])));
}

export function drawn(figures: readonly FigureOrAbsent[]): Block[] {
  return figures.flatMap((each) => ("figure" in each ? [{ kind: "figure" as const, figure: each.figure }] : []));
}

/** The pitfalls of a run or an experiment, with their corrections. */
export function pitfallTable(pitfalls: readonly { readonly what: string; readonly corrected: string }[]): Block {
  const rows = pitfalls.map(({ what, corrected }) => [what, corrected]);
  return table(["pitfall", "corrected by"], rows);
}
