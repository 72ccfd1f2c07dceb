import { allAnalyses } from "../../analysis/analyses.js";
import { type Analysis, partOf, type TextTable } from "../../analysis/analysis.js";
import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { degeneracyExplanations } from "../../analysis/verdict.js";
import type { TextColors } from "../../config/text-colors.js";
import { stepOfState } from "../../formats/state-of-step.js";
import { count } from "../../text/count.js";
import { groupDigits } from "../../text/group-digits.js";
import { printable } from "../../text/printable.js";
import { wrap } from "../../text/wrap.js";
import { table } from "../terminal/table.js";

const maxPopulationsShown = 12;

/** Lines for people under a title. */
interface Section {
  readonly title: string;
  readonly lines: readonly (string | TextTable)[];
}

function censusSection({ unique, rows, C, P, populations }: AnalysisDocument["finalCensus"]): Section {
  const shown = populations.slice(0, maxPopulationsShown).map(groupDigits).join(", ");
  const more = populations.length > maxPopulationsShown ? `, … (${groupDigits(populations.length)} in all)` : "";
  const holes = C > 0 ? `; populations ${shown}${more}` : "";
  return { title: "Last state", lines: [`C = ${groupDigits(C)}, P = ${groupDigits(P)}, ${groupDigits(unique)} unique of ${groupDigits(rows)}${holes}`] };
}

/** What an analysis found, unless it was not made. */
function sectionOf(analysis: Analysis, document: AnalysisDocument): Section[] {
  const part = partOf(document, analysis);
  return part === undefined ? [] : [{ title: analysis.title, lines: analysis.print(part, (state) => stepOfState(document, state)) }];
}

/** An analysis for people: a short table for each part. */
export function formatAnalysis(document: AnalysisDocument, color: TextColors, width?: number): string {
  const { source, dtype, states, tokens, dims, degenerate, finalCensus, notes } = document;
  const sections = allAnalyses().flatMap((analysis) => [
    // The populations that the statistics are of stand above them.
    ...(analysis.name === "statistics" ? [censusSection(finalCensus)] : []),
    ...sectionOf(analysis, document),
  ]);
  if (notes.length > 0) sections.push({ title: "Notes", lines: notes.map((note) => `· ${note}`) });
  const lines = [
    `${color.bold(printable(source))}: ${dtype}, ${count(states, "state")} of ${groupDigits(tokens)} × ${groupDigits(dims)}`,
    ...degenerate.map((name) => color.yellow(`Degenerate (${name}): ${degeneracyExplanations[name]}. What follows says nothing about black holes.`)),
    ...sections.flatMap((section) => [
      "",
      color.bold(section.title),
      ...section.lines.map((line) => (typeof line === "string" ? `  ${line}` : table(line.head, line.rows, { width, indent: 2 }))),
    ]),
  ];
  return wrap(lines.join("\n"), width);
}
