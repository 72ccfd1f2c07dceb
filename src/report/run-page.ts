import { basename, isAbsolute } from "node:path";
import { stringify } from "yaml";
import { indicatorNames } from "../analysis/untrained/row-indicators.js";
import type { Verdict } from "../analysis/verdict.js";
import { differences, tellingFacts } from "../compare/run-facts.js";
import { inlineYaml } from "../config/annotated-yaml.js";
import { isPresetName } from "../config/presets.js";
import { changesFrom } from "../config/resolve-run-config.js";
import { modelInWords } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import type { Source } from "../figures/figure.js";
import { analysedSteps, differenceName, differenceOfP, type PopulationLine } from "../figures/panels.js";
import type { FigureOrAbsent } from "../figures/run-figures.js";
import { untrainedTokensOf } from "../figures/runs/dead-tokens.js";
import type { RunSource } from "../figures/runs/run-figure.js";
import { stepMethodText } from "../protocol/step-method.js";
import { openRun } from "../runner/open-run.js";
import { finalLoss, hasStepLosses, notFinite, type TrainResult } from "../runner/train-result.js";
import { runClock, stepTimes } from "../runs/run-clock.js";
import { corpusName } from "../runs/run-manifest.js";
import { shellQuote } from "../text/escaping.js";
import { count, formatBytes, groupDigits, figure as shownFigure } from "../text/format.js";
import { tokenName } from "../text/names.js";
import { type Block, code, drawn, foldedSection, list, type Page, pitfallTable, type ReplayedRun, type Section, section, table, text } from "./page.js";
import { packedColumn, replayFrames, sharedFrames } from "./replay-frames.js";
import { retrainingOf } from "./retraining.js";
import { type Scene, storyFacts, storyOf } from "./story.js";

const maxLosses = 20;

/** A run with its name in the report. */
export type ReportedRun = { readonly label: string; readonly run: RunSource };

export async function runPage(reported: ReportedRun, figures: readonly FigureOrAbsent[]): Promise<Page> {
  const { run } = reported;
  const { manifest, config, directory } = run;
  const result = await resultOf(run);
  return {
    title: manifest.name,
    verdict: result.verdict,
    summary: summaryOf(result, run),
    sections: [
      ...answerSection(figures),
      ...(await replaySection([{ ...reported, verdict: result.verdict }])),
      section("Figures", ...drawn(figures.slice(answersIn(figures)))),
      section("Black holes at the end", holesTable(result)),
      section("Tokens that never trained", ...(await untrainedBlocks(run))),
      section("Confounds and pitfalls", ...pitfallBlocks(result)),
      foldedSection("Loss", ...lossBlocks(result, config)),
      configurationSection(run),
      environmentSection(run),
      section(
        "Reproduce it",
        text(
          "The first command trains the run again from its own files and compares every bit. The second trains from its configuration, saved with the button below.",
        ),
        code(`bh-bridge reproduce ${shellQuote(basename(directory))}\nbh-bridge train --config config.json`),
      ),
      ...(await retrainingSection(run)),
      ...absentSection(figures),
    ],
    data: { result: { ...result, run: basename(result.run) }, config: publicConfig(config), clock: runClock(stepTimes(run.events())) },
  };
}

export async function runsPage(runs: readonly ReportedRun[], figures: readonly FigureOrAbsent[]): Promise<Page> {
  const results: TrainResult[] = [];
  for (const { run } of runs) results.push(await resultOf(run));
  const facts = runs.map(({ run }) => tellingFacts(run));
  const labels = runs.map(({ label }) => label);
  const differing = (["config", "data", "environment", "code"] as const).flatMap((part) =>
    differences(facts.map((each) => each[part])).map(({ path, values }) => [`${part}: ${path}`, ...values.map((value) => inlineYaml(value))]),
  );
  return {
    title: count(runs.length, "run"),
    verdict: null,
    summary: runs.map(({ label }, index) => [label, `${results[index]?.verdict.result}: ${results[index]?.verdict.reason}`] as const),
    sections: [
      section("Results", table(["", ...labels], resultRows(results))),
      section("Differences", differing.length === 0 ? text("None in configuration, data, environment and code.") : table(["", ...labels], differing)),
      ...answerSection(figures),
      section("Figures", ...drawn(figures.slice(answersIn(figures)))),
      ...(await replaySection(runs.map((each, index) => ({ ...each, verdict: results[index]?.verdict })))),
      ...absentSection(figures),
    ],
    data: { runs: results.map((result, index) => ({ label: labels[index], result: { ...result, run: basename(result.run) } })) },
  };
}

/** The first steps of a run of engine portable, for the browser of the reader. */
async function retrainingSection(run: RunSource): Promise<Section[]> {
  const retraining = await retrainingOf(run);
  if (retraining === undefined) return [];
  const title = "Train it again here";
  if (typeof retraining === "string") return [section(title, text(`This run cannot be trained in a browser: ${retraining}.`))];
  return [section(title, { kind: "retraining", retraining })];
}

function answerSection(figures: readonly FigureOrAbsent[]): Section[] {
  const blocks = drawn(figures.slice(0, answersIn(figures)));
  return blocks.length === 0 ? [] : [section("The answer", ...blocks)];
}

/** Runs to watch two at a time in one view; none if their rows differ or they do not move. */
export async function pairSection(runs: readonly ReportedRun[]): Promise<Section[]> {
  const frames = await sharedFrames(runs.map(({ run }) => run));
  if (!frames) return [];
  const lines: PopulationLine[] = [];
  const sources = runs.map(({ run: { manifest } }): Source => ({ name: manifest.name, hash: manifest.config_hash }));
  for (const { label, run } of runs) {
    const analysis = await run.analysis();
    lines.push({ label, x: analysedSteps(analysis), y: analysis.timeline?.P ?? [] });
  }
  const canExchange = runs.length > 2;
  const played = frames.map((each, index): ReplayedRun => {
    const { label = "", x = [], y = [] } = lines[index] ?? {};
    const source = sources[index];
    return { label, frames: each, ...(canExchange && source && { counts: { source, steps: packedColumn(x, countDigits), P: packedColumn(y, countDigits) } }) };
  });
  return [section("Replay", { kind: "pair", runs: played }, ...differenceBlock(sources, lines))];
}

/** More digits than any count has. */
const countDigits = 9;

/** The difference of P of the first two runs, which the pair shows at first. */
function differenceBlock(sources: readonly Source[], [first, second]: readonly PopulationLine[]): Block[] {
  if (!first?.y.length || !second?.y.length) return [];
  return [{ kind: "figure", figure: { schema: "bh-bridge/figure@1", name: differenceName, sources: sources.slice(0, 2), ...differenceOfP([first, second]) } }];
}

/** The replay of runs, and the story of a single one above it. */
async function replaySection(runs: readonly (ReportedRun & { readonly verdict: Verdict | undefined })[]): Promise<Section[]> {
  const together = runs.length > 1 ? await pairSection(runs) : [];
  if (together.length > 0) return together;
  const played: ReplayedRun[] = [];
  const still: string[] = [];
  const scenes: Scene[] = [];
  for (const { label, run, verdict } of runs) {
    const frames = await replayFrames(run, 1 / runs.length);
    const facts = verdict && runs.length === 1 ? await storyFacts(run, verdict) : undefined;
    if (facts) scenes.push(...storyOf(facts));
    if (frames) played.push({ label, frames });
    else still.push(label);
  }
  const replay: Block[] = played.length === 0 ? [] : [{ kind: "replay", runs: played }];
  const told: Block[] = scenes.length === 0 ? [] : [{ kind: "story", scenes }];
  const left: Block[] = still.length === 0 ? [] : [text(`Without a replay, because they are too large or do not move in two directions: ${still.join("; ")}.`)];
  return [section(scenes.length === 0 ? "Replay" : "Story and replay", ...told, ...replay, ...left)];
}

/** The figures that answer first, and the others. */
const answers: readonly string[] = ["verdict", "tokens"];

/** The number of figures before the first that is no answer. */
function answersIn(figures: readonly FigureOrAbsent[]): number {
  const other = figures.findIndex((each) => "figure" in each && !answers.includes(each.figure.name));
  return other < 0 ? figures.length : other;
}

async function resultOf(run: RunSource): Promise<TrainResult> {
  return await (await openRun(run.directory)).result(run.scan);
}

function absentSection(figures: readonly FigureOrAbsent[]): Section[] {
  const absent = figures.flatMap((each) => ("absent" in each ? [`${each.name}, ${each.run}: ${each.absent}`] : []));
  return absent.length === 0 ? [] : [foldedSection("Omitted figures", list(absent))];
}

function decimal(value: number | null, digits = 6): string {
  return value === null ? "not finite" : value.toFixed(digits);
}

function summaryOf(result: TrainResult, { manifest, config }: RunSource): [string, string][] {
  const { census, corpus, displacement, steps, usage } = result;
  return [
    ["Black holes", `C = ${census.C}, P = ${census.P}: ${census.unique} of ${census.rows} rows are distinct`],
    ["Steps", `${groupDigits(steps.done)} of ${groupDigits(steps.planned)}, ${result.status}${result.finite ? "" : `; failed: ${notFinite}`}`],
    [hasStepLosses(result, config) ? "Loss of the last step" : "Loss at the last log", lastLoss(result)],
    ["Displacement of the centroid", `${decimal(displacement.float64)} (${decimal(displacement.bfloat16)} in the notebook's bfloat16 arithmetic)`],
    ["Model", `${modelInWords(config.model)}, ${count(manifest.parameters, "parameter")}, ${config.model.dtype}; start: ${config.init.kind}`],
    [
      "Corpus",
      `${corpusName(manifest.corpus)}: ${count(corpus.tokens, "token")}, ${corpus.distinct} distinct, ${corpus.dead} dead of ${config.model.vocab_size}`,
    ],
    [
      "Trained",
      `${manifest.created}, ${result.seconds.toFixed(0)} s, ${result.stepsPerSecond.toFixed(1)} steps/s${usage ? `, ${formatBytes(usage.peakBytes)} of memory at the peak` : ""}`,
    ],
    ...(manifest.step_method ? [["Computed by", `engine ${config.engine.name}. ${stepMethodText(manifest.step_method)}`] as [string, string]] : []),
    ["Configuration", `preset ${manifest.preset}, hash ${manifest.config_hash}`],
  ];
}

function holesTable({ census }: TrainResult): Block {
  if (census.C === 0) return text("None.");
  return table(
    ["population", "members"],
    census.populations.map((population, hole) => [
      String(population),
      (census.members[hole] ?? []).map((token, index) => tokenName(token, census.texts?.[hole]?.[index])).join(" "),
    ]),
  );
}

const maxUntrained = 20;

async function untrainedBlocks(run: RunSource): Promise<Block[]> {
  const { unused, threshold, candidates } = await untrainedTokensOf(run);
  if (!threshold) return [text(`The rows of unused tokens (${unused.how}) are not apart from others in any indicator.`)];
  const rows = candidates
    .slice(0, maxUntrained)
    .map(({ id, text: sign, reason, indicators }) => [String(id), tokenName(id, sign), reason, ...indicatorNames.map((name) => shownFigure(indicators[name]))]);
  const more = candidates.length > rows.length ? `, of which the strongest ${rows.length} follow` : "";
  return [
    text(`${count(candidates.length, "row")} up to the threshold${more}. Unused: ${unused.how}. Threshold: ${threshold.how}.`),
    ...(rows.length > 0 ? [table(["id", "token", "reason", ...indicatorNames], rows)] : []),
  ];
}

function pitfallBlocks({ traps }: TrainResult): Block[] {
  return traps.length === 0 ? [text("This run has none of the notebook's pitfalls.")] : [text("Pitfalls of the notebook in this run:"), pitfallTable(traps)];
}

function lastLoss(result: TrainResult): string {
  return result.loss.length === 0 ? "–" : decimal(finalLoss(result), 4);
}

function lossBlocks(result: TrainResult, config: RunConfig): Block[] {
  const { loss } = result;
  if (loss.length === 0) return [text("No step was taken.")];
  const every = Math.ceil(loss.length / maxLosses);
  const shown = loss.filter((_, index) => (index + 1) % every === 0 || index === loss.length - 1);
  const rows = shown.map(([step, value]) => [groupDigits(step), decimal(value, 4)]);
  return hasStepLosses(result, config)
    ? [text("Single steps, one batch each: the run is shorter than training.logging_steps."), table(["step", "loss"], rows)]
    : [text("Mean over the training.logging_steps up to each step."), table(["step", "mean loss"], rows)];
}

function configurationSection({ config, manifest: { preset } }: RunSource): Section {
  const changes = isPresetName(preset) ? changesFrom(preset, config, () => "") : [];
  const rows = changes
    .filter(({ path }) => path !== "python")
    .map(({ path, ...values }) => [path, ...[values.before, values.after].map((value) => (value === undefined ? "" : inlineYaml(publicValue(value))))]);
  const changed = rows.length === 0 ? text(`Equal to the preset ${preset}.`) : table(["changed", preset, "this run"], rows);
  return foldedSection("Configuration", changed, code(stringify(publicConfig(config)).trimEnd()));
}

function environmentSection({ manifest }: RunSource): Section {
  const { environment, git, package_version, resumes, model_changes } = manifest;
  const rows = Object.entries({ "bh-bridge": package_version, ...environment }).map(([name, value]) => [name, value === null ? "–" : String(value)]);
  const repository = git ? [["git", `${git.commit}${git.dirty ? ", with changes" : ""}`]] : [];
  const corpus = ["corpus", `${corpusName(manifest.corpus)}, sha256 ${manifest.corpus.sha256}`];
  const notes = [...resumes.map(({ at, from_step, exact }) => `resumed ${at} from step ${from_step}${exact ? "" : " (inexact)"}`), ...model_changes];
  return foldedSection("Environment", table(["", ""], [...rows, ...repository, corpus]), ...(notes.length > 0 ? [list(notes)] : []));
}

function resultRows(results: readonly TrainResult[]): string[][] {
  const rows: [string, (result: TrainResult) => string][] = [
    ["status", ({ status }) => status],
    ["verdict", ({ verdict }) => verdict.result],
    ["steps", ({ steps }) => groupDigits(steps.done)],
    ["C", ({ census }) => String(census.C)],
    ["P", ({ census }) => String(census.P)],
    ["distinct rows", ({ census }) => `${census.unique} of ${census.rows}`],
    ["displacement", ({ displacement }) => decimal(displacement.float64)],
    ["final loss", lastLoss],
  ];
  return rows.map(([name, of]) => [name, ...results.map(of)]);
}

/** A configuration without paths of the machine, as reports are sent to others. */
function publicConfig({ python: _python, ...config }: RunConfig): Record<string, unknown> {
  return JSON.parse(JSON.stringify(config, (_key, value: unknown) => publicValue(value))) as Record<string, unknown>;
}

function publicValue<Value>(value: Value): Value | string {
  return typeof value === "string" && isAbsolute(value) ? basename(value) : value;
}
