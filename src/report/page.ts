import type { Figure } from "../figures/figure.js";
import type { ReplayFrames } from "./replay-frames.js";

/** A part of a section. All texts are plain: whoever writes them out escapes them. */
export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "figure"; readonly figure: Figure }
  | { readonly kind: "replay"; readonly runs: readonly ReplayedRun[] };

/** A run that can be played, by what it is called in the report. */
export interface ReplayedRun {
  readonly label: string;
  readonly frames: ReplayFrames;
}

export interface Section {
  readonly title: string;
  /** Whether it is closed at first, where it can be opened. */
  readonly folded: boolean;
  readonly blocks: readonly Block[];
}

/** A report, before it is HTML or Markdown: what it says first, then its sections. */
export interface Page {
  readonly title: string;
  readonly verdict: { readonly result: string; readonly reason: string } | null;
  readonly summary: readonly (readonly [label: string, text: string])[];
  readonly sections: readonly Section[];
  /** What a reader can take out as JSON, beside the figures. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A section that is open. */
export function section(title: string, ...blocks: readonly Block[]): Section {
  return { title, folded: false, blocks };
}

/** A section that one opens to look something up. */
export function foldedSection(title: string, ...blocks: readonly Block[]): Section {
  return { title, folded: true, blocks };
}

export const text = (words: string): Block => ({ kind: "text", text: words });
export const list = (items: readonly string[]): Block => ({ kind: "list", items });
export const code = (lines: string): Block => ({ kind: "code", text: lines });
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): Block => ({ kind: "table", head, rows });
