import type { Dtype } from "../formats/matrix.js";
import { count } from "../text/count.js";
import { groupDigits } from "../text/group-digits.js";
import type { AnalysisName } from "./analysis-names.js";

/** What an analysis leaves out, said in sentences; some reasons also take analyses off the list of wanted ones. */
export interface AnalysisNotes {
  readonly lines: string[];
  otherSteps(): void;
  chosenTokens(tokens: number): void;
  noLattice(dtype: Dtype, wanted: Set<AnalysisName>): void;
  statesTooLarge(numbers: number, limit: number, wanted: Set<AnalysisName>): void;
  tooManyDims(dims: number, limit: number): void;
  arraysLeftOut(names: readonly string[], entries: number, limit: number): void;
  tooManyNodes(name: string, nodes: number, limit: number): void;
  nonfinite(tokens: number): void;
  nanEscapes(tokens: number, firstStep: number): void;
}

/** Take analyses off the wanted ones; those that had been wanted. */
function drop(wanted: Set<AnalysisName>, names: readonly AnalysisName[]): AnalysisName[] {
  return names.filter((name) => wanted.delete(name));
}

/** Begin the notes of one analysis. */
export function analysisNotes(): AnalysisNotes {
  const lines: string[] = [];
  return {
    lines,
    otherSteps() {
      lines.push(
        "not every training step was recorded from 0 on: `steps` has the training step of each state, and a step here is the move from one state to the next",
      );
    },
    chosenTokens(tokens) {
      lines.push(`the history holds ${count(tokens, "chosen token")}: per-token arrays have an entry for each, in the order of \`tokenIds\``);
    },
    noLattice(dtype, wanted) {
      const motion = wanted.has("motion") ? ["motion.lattice", "motion.lastMotionStep"] : [];
      const names = [...motion, ...drop(wanted, ["lifecycle", "topology"])];
      if (names.length > 0) lines.push(`left out: ${names.join(", ")}: only bfloat16 has a lattice, and this history is ${dtype}`);
    },
    statesTooLarge(numbers, limit, wanted) {
      const names = drop(wanted, ["motion", "lifecycle", "geometry"]);
      if (names.length > 0) lines.push(`left out: ${names.join(", ")}: a state has ${count(numbers, "number")}, more than ${groupDigits(limit)}`);
    },
    tooManyDims(dims, limit) {
      lines.push(
        `left out: geometry.initialSpread, geometry.finalSpread, geometry.pathSpread: ${count(dims, "dimension")}, more than ${groupDigits(limit)} (spreadDims)`,
      );
    },
    arraysLeftOut(names, entries, limit) {
      lines.push(`left out: ${names.join(", ")}: ${count(entries, "entry", "entries")}, more than ${groupDigits(limit)} (maxTokens)`);
    },
    tooManyNodes(name, nodes, limit) {
      lines.push(`left out: ${name}: ${count(nodes, "unique row")}, more than ${groupDigits(limit)} (maxNodes)`);
    },
    nonfinite(tokens) {
      lines.push(`${count(tokens, "token holds", "tokens hold")} NaN or infinity: figures that are not finite because of it are null`);
    },
    nanEscapes(tokens, firstStep) {
      const which = tokens === 1 ? "1 token left its black hole because its row" : `${groupDigits(tokens)} tokens left their black holes because their rows`;
      lines.push(
        `${which} became NaN, first at step ${groupDigits(firstStep)}: such a row equals nothing. They count among \`escapes\`, and their black holes among \`splits\`; \`timeline.nanEscapes\` tells the steps`,
      );
    },
  };
}
