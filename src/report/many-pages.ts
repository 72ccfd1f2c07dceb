import { basename } from "node:path";
import type { FigureOrAbsent } from "../figures/run-figures.js";
import { type ExperimentDocument, evidenceLines, seedsLine } from "../sweep/experiment/experiment-summary.js";
import { armLines, shownFigure, shownP } from "../sweep/experiment/experiment-verdict.js";
import { describeMeasure } from "../sweep/experiment/measures.js";
import type { MeasureComparison } from "../sweep/experiment/paired-statistics.js";
import type { JudgementDocument } from "../sweep/judge/judge.js";
import type { SweepDocument } from "../sweep/sweep-document.js";
import { summaryTable } from "../sweep/sweep-summary.js";
import { shellQuote } from "../text/escaping.js";
import { count } from "../text/format.js";
import { trialNames } from "../text/names.js";
import { type Block, code, drawn, foldedSection, list, type Page, pitfallTable, type Section, section, table, text } from "./page.js";

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
      ["Seeds", seedsLine(document)],
      ["Rules", `fixed in advance; SHA-256 ${verdict.rulesHash}`],
    ],
    sections: [
      ...verdictSections(verdict),
      ...(document.sequential ? [section("Evidence as it grew", list(evidenceLines(document)))] : []),
      figuresSection(figures.filter((figure) => !isOfOthers(figure))),
      ...(figures.some(isOfOthers) ? [foldedSection("Measures that do not decide", ...drawn(figures.filter(isOfOthers)))] : []),
      ...replay,
      foldedSection("Rules and reason", list(verdict.rules), text(verdict.reason)),
      section(
        "Measures",
        text(
          "Mean ± sample standard deviation (n). Differences are treatment − control, paired by seed, with the interval of the verdict. * marks the deciding measure.",
        ),
        measuresTable(control, shown),
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
      section("Reproduce it", code(`bh-bridge experiment ${shellQuote(name)}${document.sequential ? " --until-decided" : ""} --seeds ${seeds.join(",")}`)),
    ],
    data: { experiment: { ...document, directory: basename(document.directory) } },
  };
}

/** The page of a judged table: verdict, figures and measures. @param command that judges it again. */
export function judgementPage(document: JudgementDocument, figures: readonly FigureOrAbsent[], command: string): Page {
  const { table: path, verdict, control, arms, measures, pairing, seeds, rows, ignored } = document;
  const isPaired = pairing === "paired";
  const shown = measures.filter(({ control: { n }, treatment }) => n + treatment.n > 0);
  return {
    title: path === "-" ? "standard input" : basename(path),
    verdict: { result: verdict.result, reason: verdict.arms.map(({ arm, result }) => `${arm} against ${control}: ${result}`).join("; ") },
    summary: [
      ["Control", control],
      ["Treatments", arms.join(", ")],
      ["Pairing", isPaired ? `${count(seeds.length, "pair")} by seed: ${seeds.join(", ")}` : "unpaired"],
      ["Table", `${count(rows, "row")}${ignored.length === 0 ? "" : `; columns without numbers: ${ignored.join(", ")}`}`],
      ["Rules", `SHA-256 ${verdict.rulesHash}`],
    ],
    sections: [
      ...verdictSections(verdict),
      figuresSection(figures),
      foldedSection("Rules and reason", list(verdict.rules), text(verdict.reason)),
      section(
        "Measures",
        text(
          `Mean ± sample standard deviation (n). Differences are treatment − control, ${isPaired ? "paired by seed" : "unpaired"}, with the interval of the verdict. * marks a deciding measure.`,
        ),
        measuresTable(control, shown),
      ),
      ...(isPaired ? [foldedSection("Values by seed", valuesTable(document, shown))] : []),
      section("Judge it again", code(command)),
    ],
    terms: ["comparison"],
    madeFrom: "a table",
    data: { judgement: { ...document, table: basename(path) } },
  };
}

/** A row per measure and seed, so that a table of many seeds fits on paper. */
function valuesTable({ control, arms, seeds }: JudgementDocument, shown: readonly MeasureComparison[]): Block {
  const rows = [...new Set(shown.map(({ measure }) => measure))].flatMap((measure) => {
    const of = shown.filter((each) => each.measure === measure);
    const columns = [of[0]?.control.values, ...arms.map((arm) => of.find((each) => each.arm === arm)?.treatment.values)];
    return seeds.map((seed, at) => [measure, seed, ...columns.map((values) => shownFigure(values?.[at] ?? null))]);
  });
  return table(["measure", "seed", control, ...arms], rows);
}

function figuresSection(figures: readonly FigureOrAbsent[]): Section {
  const blocks = drawn(figures);
  return section("Figures", ...(blocks.length > 0 ? blocks : [text("None: no run has the values that they show.")]));
}

function isOfOthers(made: FigureOrAbsent): boolean {
  return "figure" in made && made.figure.name === "forest-others";
}

function verdictSections(verdict: ExperimentDocument["verdict"]): Section[] {
  return [
    section(
      "Verdict",
      table(
        ["arm", "answer", "evidence", "missing"],
        armLines(verdict).map(({ arm, answer, evidence, missing }) => [arm, answer, evidence, missing ?? "–"]),
      ),
    ),
    ...(verdict.notes ? [section("Limits of the verdict", list(verdict.notes))] : []),
  ];
}

function measuresTable(control: string, shown: readonly MeasureComparison[]): Block {
  return table(["measure", "arm", control, "arm's value", "difference", "interval", "p", "corrected p"], shown.map(measureRow));
}

function measureRow({ measure, arm, decides, control, treatment, difference, p, holm }: MeasureComparison): string[] {
  const spread = ({ mean, sd, n }: { mean: number | null; sd: number | null; n: number }) =>
    n === 0 ? "–" : `${shownFigure(mean)}${sd === null ? "" : ` ± ${shownFigure(sd)}`} (${n})`;
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
      figuresSection(figures),
      section("Points", text("Mean ± sample standard deviation over n seeds."), table(head, rows)),
      ...(failed.length > 0 ? [section("Failed", list(failed))] : []),
    ],
    data: { sweep: { ...document, directory: null, trials: trials.map((trial) => ({ ...trial, run: trial.run === null ? null : basename(trial.run) })) } },
  };
}
