import { basename } from "node:path";
import type { FigureOrAbsent } from "../figures/run-figures.js";
import type { ExperimentDocument } from "../sweep/experiment/experiment-summary.js";
import { armLines, shownFigure, shownP } from "../sweep/experiment/experiment-verdict.js";
import { describeMeasure } from "../sweep/experiment/measures.js";
import type { MeasureComparison } from "../sweep/experiment/paired-statistics.js";
import type { SweepDocument } from "../sweep/sweep-document.js";
import { summaryTable } from "../sweep/sweep-summary.js";
import { shellQuote } from "../text/escaping.js";
import { count } from "../text/format.js";
import { trialNames } from "../text/names.js";
import { code, drawn, foldedSection, list, type Page, pitfallTable, type Section, section, table, text } from "./page.js";

/** The page of an experiment: verdict, figures, measures, confounds and runs. @param replay of arms, if there is one. */
export function experimentPage(document: ExperimentDocument, figures: readonly FigureOrAbsent[], replay: readonly Section[] = []): Page {
  const { name, verdict, seeds, measures, confounds, traps } = document;
  const control = document.control[0]?.arm ?? "control";
  const shown = measures.filter(({ control: { n }, treatment }) => n + treatment.n > 0);
  const runs = [...document.control, ...document.treatment];
  return {
    title: name,
    verdict: { result: verdict.result, reason: verdict.arms.map(({ arm, result }) => `${arm} against ${control}: ${result}`).join("; ") },
    summary: [
      ["Control", control],
      ["Treatments", verdict.arms.map(({ arm }) => arm).join(", ")],
      ["Seeds", `${seeds.length}: ${seeds.join(", ")}`],
      ["Rules", `fixed in advance; SHA-256 ${verdict.rulesHash}`],
    ],
    sections: [
      section(
        "Verdict",
        table(
          ["arm", "answer", "evidence", "missing"],
          armLines(verdict).map(({ arm, answer, evidence, missing }) => [arm, answer, evidence, missing ?? "–"]),
        ),
      ),
      ...(verdict.notes ? [section("Limits of the verdict", list(verdict.notes))] : []),
      section("Figures", ...drawn(figures.filter((figure) => !isOfOthers(figure)))),
      ...(figures.some(isOfOthers) ? [foldedSection("Measures that do not decide", ...drawn(figures.filter(isOfOthers)))] : []),
      ...replay,
      foldedSection("Rules and reason", list(verdict.rules), text(verdict.reason)),
      section(
        "Measures",
        text(
          "Mean ± sample standard deviation (n). Differences are treatment − control, paired by seed, with the interval of the verdict. * marks the deciding measure.",
        ),
        table(["measure", "arm", control, "arm's value", "difference", "interval", "p", "corrected p"], shown.map(measureRow)),
      ),
      foldedSection(
        "Description of the measures",
        list([...new Set(shown.map(({ measure }) => measure))].map((measure) => `${measure}: ${describeMeasure(measure)}`)),
      ),
      section(
        "Confounds",
        confounds.length === 0
          ? text("None: the arms differ only in their settings.")
          : table(
              ["arm", "difference", control, "treatment", "removed by"],
              confounds.map(({ arm, what, control: before, treatment, remove }) => [arm, what, before, treatment, remove ?? "no option"]),
            ),
        ...(traps.length > 0 ? [text("Pitfalls of the notebook that all arms share:"), pitfallTable(traps)] : []),
      ),
      foldedSection(
        "Runs",
        table(
          ["arm", "seed", "score", "C", "P", "displacement", "final loss", "run"],
          runs.map(({ arm, seed, score, census, displacement, finalLoss, run }) => {
            const figures = [displacement.float64, finalLoss].map(shownFigure);
            return [arm, String(seed), score.result, String(census.C), String(census.P), ...figures, basename(run)];
          }),
        ),
      ),
      section("Reproduce it", code(`bh-bridge experiment ${shellQuote(name)} --seeds ${seeds.join(",")}`)),
    ],
    data: { experiment: { ...document, directory: basename(document.directory) } },
  };
}

function isOfOthers(made: FigureOrAbsent): boolean {
  return "figure" in made && made.figure.name === "forest-others";
}

function measureRow({ measure, arm, decides, control, treatment, difference, p, holm }: MeasureComparison): string[] {
  const spread = ({ mean, sd, n }: { mean: number | null; sd: number | null; n: number }) =>
    n === 0 ? "–" : `${shownFigure(mean)} ± ${shownFigure(sd)} (${n})`;
  const bounds = difference.interval ?? null;
  const interval = bounds === null ? "–" : `${shownFigure(bounds.low)} to ${shownFigure(bounds.high)}`;
  return [decides ? `${measure} *` : measure, arm, spread(control), spread(treatment), spread(difference), interval, shownP(p), decides ? shownP(holm) : ""];
}

/** The page of a sweep: figures, points and failed trials. */
export function sweepPage(document: SweepDocument, figures: readonly FigureOrAbsent[]): Page {
  const { name, trials, counts } = document;
  const present = Object.entries(counts).filter(([, number]) => number > 0);
  const { head, rows } = summaryTable(trials);
  const names = trialNames(trials.map(({ set }) => set));
  const failed = trials.flatMap(({ trial, status, reason }, at) =>
    status === "failed" && reason !== null ? [`${names[at]} (${trial}): ${reason.split("\n")[0]}`] : [],
  );
  return {
    title: name,
    verdict: null,
    summary: [["Trials", `${count(trials.length, "trial")}: ${present.map(([status, number]) => `${number} ${status}`).join(", ")}`]],
    sections: [
      section("Figures", ...drawn(figures)),
      section("Points", text("Mean ± sample standard deviation over n seeds."), table(head, rows)),
      ...(failed.length > 0 ? [section("Failed", list(failed))] : []),
    ],
    data: { sweep: { ...document, directory: null, trials: trials.map((trial) => ({ ...trial, run: trial.run === null ? null : basename(trial.run) })) } },
  };
}
