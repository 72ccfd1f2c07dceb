import { relative } from "node:path";
import type { TextColors } from "../../config/text-colors.js";
import type { ExperimentDocument } from "../../sweep/experiment/experiment-document.js";
import { shownFigure, shownP } from "../../sweep/experiment/shown-figure.js";
import type { Moments } from "../../sweep/statistics/moments.js";
import { count } from "../../text/count.js";
import { printable } from "../../text/printable.js";
import { wrap } from "../../text/wrap.js";
import { table } from "../terminal/table.js";

/** What an experiment says, the verdict first: the measures that decide and those described, the confounds, and where the rest stands. */
export function formatExperiment(
  { name, directory, verdict, measures, confounds, seeds, control }: ExperimentDocument,
  color: TextColors,
  width?: number,
): string {
  const paint = { positive: color.green, null: color.cyan, inconclusive: color.yellow, degenerate: color.yellow }[verdict.result];
  const told = measures.filter(({ control: one, treatment }) => one.n + treatment.n > 0);
  const [only, ...others] = verdict.arms.map(({ arm }) => arm);
  const isOne = others.length === 0;
  const head = ["measure", control[0]?.arm ?? "control", ...(isOne ? [only ?? "treatment"] : ["arm", "mean"]), "difference", "p (corrected)"];
  const rows = told.map(({ measure, decides, arm, control: one, treatment, difference, p, holm }) => [
    decides ? `${measure} *` : measure,
    spread(one),
    ...(isOne ? [] : [arm]),
    spread(treatment),
    spread(difference),
    holm === null ? shownP(p) : `${shownP(p)} (${shownP(holm)})`,
  ]);
  const lines = [
    `${color.bold(printable(name))}: ${paint(verdict.result)}  ${count(seeds.length, "seed")}`,
    `  ${verdict.reason}`,
    ...(verdict.notes ?? []).map((note) => color.yellow(`  ${note}`)),
    "",
    table(head, rows, { align: isOne ? ["left"] : ["left", "right", "left"], width }),
    color.dim("* decides. Mean ± sample standard deviation (n); differences are paired by seed"),
    ...(confounds.length > 0
      ? ["", color.bold("What else differs"), ...confounds.map(({ what, remove }) => `  ${what}${remove ? `. Removed by ${remove}` : ""}`)]
      : []),
    "",
    color.dim(`Rules, values by seed and confounds: ${relative(process.cwd(), directory) || "."}/summary.md`),
  ];
  return wrap(lines.join("\n"), width);
}

function spread({ n, mean, sd }: Moments): string {
  return mean === null ? "–" : `${shownFigure(mean)}${sd === null ? "" : ` ± ${shownFigure(sd)}`} (${n})`;
}
