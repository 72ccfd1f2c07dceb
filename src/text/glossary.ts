/** A term that reports and the page explain on request. */
export interface GlossaryEntry {
  /** Part of the id of the entry in a page. */
  readonly key: "C" | "P" | "hole" | "dead" | "cell" | "verdict" | "comparison";
  readonly term: string;
  readonly meaning: string;
}

/** The terms of reports and the page, in the order of a list. */
export const glossary: readonly GlossaryEntry[] = [
  {
    key: "hole",
    term: "black hole",
    meaning: "A value that the embedding rows of two or more tokens share. Rows are equal if all their numbers are equal, not if they are close.",
  },
  { key: "C", term: "C", meaning: "The number of black holes." },
  { key: "P", term: "P", meaning: "The number of tokens in black holes." },
  { key: "dead", term: "dead token", meaning: "A token of the vocabulary that never occurs in the training text. All others are live." },
  {
    key: "cell",
    term: "lattice cell",
    meaning:
      "The distance from a number to the next one that bfloat16 can represent (one ULP). A weight moves by whole cells, or it does not move: an update that is too small is rounded away.",
  },
  {
    key: "verdict",
    term: "positive, null, degenerate",
    meaning:
      "The verdict of a run. Null: all dead tokens that shared a black hole at the start still share one at the end. Positive: some have parted. Degenerate: the run cannot answer, because no two dead tokens started together or its weights are unusable.",
  },
  {
    key: "comparison",
    term: "positive, null, inconclusive",
    meaning:
      "The verdict of a comparison with a control. Positive: a difference beyond the margin is shown in a deciding measure. Null: in every deciding measure it is shown that the difference is smaller than the margin. Inconclusive: neither is shown, which more seeds can change.",
  },
];
