import { basename } from "node:path";
import type { FigureOrAbsent } from "../figures/run-figures.js";
import type { ExperimentDocument } from "../sweep/experiment/experiment-summary.js";
import { shownFigure, shownP } from "../sweep/experiment/experiment-verdict.js";
import { describeMeasure } from "../sweep/experiment/measures.js";
import type { MeasureComparison } from "../sweep/experiment/paired-statistics.js";
import type { SweepDocument } from "../sweep/sweep-document.js";
import { summaryTable } from "../sweep/sweep-summary.js";
import { shellQuote } from "../text/escaping.js";
import { count } from "../text/format.js";
import { type Block, code, foldedSection, list, type Page, section, table, text } from "./page.js";

function drawn(figures: readonly FigureOrAbsent[]): Block[] {
  return figures.flatMap((each) => ("figure" in each ? [{ kind: "figure" as const, figure: each.figure }] : []));
}

/** The page of an experiment: its verdict, its measures, what else differs, its runs. */
export function experimentPage(document: ExperimentDocument, figures: readonly FigureOrAbsent[]): Page {
  const { name, verdict, seeds, measures, confounds, traps } = document;
  const control = document.control[0]?.arm ?? "control";
  const told = measures.filter(({ control: { n }, treatment }) => n + treatment.n > 0);
  const runs = [...document.control, ...document.treatment];
  return {
    title: name,
    verdict,
    summary: [
      ["Control", control],
      ["Against it", verdict.arms.map(({ arm, result }) => `${arm}: ${result}`).join(", ")],
      ["Seeds", `${seeds.length}: ${seeds.join(", ")}`],
      ["Rules", `fixed before the first step; SHA-256 ${verdict.rulesHash}`],
    ],
    sections: [
      ...(verdict.notes ? [section("Limits of the verdict", list(verdict.notes))] : []),
      section("Rules", list(verdict.rules)),
      section("Figures", ...drawn(figures)),
      section(
        "Measures",
        text("Mean ± sample standard deviation (n). Differences are paired by seed, treatment less control, with the interval of the verdict. * decides."),
        table(["measure", "arm", control, "arm's value", "difference", "interval", "p", "corrected p"], told.map(measureRow)),
      ),
      foldedSection(
        "What the measures are",
        list([...new Set(told.map(({ measure }) => measure))].map((measure) => `${measure}: ${describeMeasure(measure)}`)),
      ),
      section(
        "Confounds",
        confounds.length === 0
          ? text("None was found beside what the arms set.")
          : table(
              ["arm", "what differs", control, "treatment", "removed by"],
              confounds.map(({ arm, what, control: before, treatment, remove }) => [arm, what, before, treatment, remove ?? "no option"]),
            ),
        ...(traps.length > 0
          ? [
              text("Shared by all arms, as in the notebook:"),
              table(
                ["what", "corrected by"],
                traps.map(({ what, corrected }) => [what, corrected]),
              ),
            ]
          : []),
      ),
      foldedSection(
        "Runs",
        table(
          ["arm", "seed", "score", "C", "P", "displacement", "final loss", "run"],
          runs.map(({ arm, seed, score, census, displacement, finalLoss, run }) => [
            arm,
            String(seed),
            score.result,
            String(census.C),
            String(census.P),
            shownFigure(displacement.float64),
            shownFigure(finalLoss),
            basename(run),
          ]),
        ),
      ),
      section("Make it again", code(`bh-bridge experiment ${shellQuote(name)} --seeds ${seeds.join(",")}`)),
    ],
    data: { experiment: { ...document, directory: basename(document.directory) } },
  };
}

function measureRow({ measure, arm, decides, control, treatment, difference, p, holm }: MeasureComparison): string[] {
  const spread = ({ mean, sd, n }: { mean: number | null; sd: number | null; n: number }) =>
    n === 0 ? "–" : `${shownFigure(mean)} ± ${shownFigure(sd)} (${n})`;
  const bounds = difference.interval ?? null;
  const interval = bounds === null ? "–" : `${shownFigure(bounds.low)} to ${shownFigure(bounds.high)}`;
  return [decides ? `${measure} *` : measure, arm, spread(control), spread(treatment), spread(difference), interval, shownP(p), decides ? shownP(holm) : ""];
}

/** The page of a sweep: its points, and what became of its trials. */
export function sweepPage(document: SweepDocument, figures: readonly FigureOrAbsent[]): Page {
  const { name, trials, counts } = document;
  const told = Object.entries(counts).filter(([, number]) => number > 0);
  const { head, rows } = summaryTable(trials);
  const failed = trials.filter(({ status, reason }) => status === "failed" && reason !== null);
  return {
    title: name,
    verdict: null,
    summary: [["Trials", `${count(trials.length, "trial")}: ${told.map(([status, number]) => `${number} ${status}`).join(", ")}`]],
    sections: [
      section("Figures", ...drawn(figures)),
      section("Points", text("Mean over n seeds ± their standard deviation (n − 1)."), table(head, rows)),
      ...(failed.length > 0 ? [section("Failed", list(failed.map(({ trial, reason }) => `${trial}: ${reason?.split("\n")[0]}`)))] : []),
    ],
    data: { sweep: { ...document, directory: null, trials: trials.map((trial) => ({ ...trial, run: trial.run === null ? null : basename(trial.run) })) } },
  };
}
