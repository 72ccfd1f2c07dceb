// docs/results.md from the files of the full runs; scripts/results.mjs trains them.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { experimentPresets, openRun, presets } from "../dist/index.js";
import { shownFigure, shownP } from "../dist/sweep/experiment/experiment-verdict.js";
import { readLedger } from "../dist/sweep/ledger.js";
import { markdownTable } from "../dist/text/escaping.js";

const read = (...path) => JSON.parse(readFileSync(join(...path), "utf8"));
const foldersIn = (folder) => (existsSync(folder) ? readdirSync(folder).sort() : []);
const distinct = (values) => [...new Set(values)].join(" and ");
const sentence = (text) => (text.endsWith(".") ? text : `${text}.`);
const list = (items) => items.map((item) => `- ${sentence(item)}`).join("\n");
const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

/** Seconds as `48 min` or `2 h 10 min`; `42 s` below two minutes. */
function shownTime(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Mean number of cores that a training used, weighted by the time that each report covers. It shows whether other work shared the machine. */
function coresOf(run) {
  const lines = readFileSync(join(run, "events.jsonl"), "utf8").split("\n");
  const reports = lines.filter((line) => line.includes('"type":"usage"') || line.includes('"type": "usage"')).map((line) => JSON.parse(line));
  return sum(reports.map(({ cpu_cores, seconds }) => cpu_cores * seconds)) / sum(reports.map(({ seconds }) => seconds));
}

/** The completed runs of a folder, with their environment. */
function completedRuns(folder) {
  return foldersIn(folder).flatMap((name) => {
    const directory = join(folder, name);
    if (!existsSync(join(directory, "run.json"))) return [];
    const manifest = read(directory, "run.json");
    if (manifest.status !== "completed") return [];
    const [python, node] = [read(directory, "environment.python.json"), read(directory, "environment.node.json")];
    return [{ directory, manifest, python, node, cores: coresOf(directory) }];
  });
}

/** The files of a piece: number of planned runs, completed runs and, for an experiment, its document and the results of its trainings. */
function foundOf({ kind, name, folder, presets: names }) {
  if (kind === "portable") {
    const completed = completedRuns(folder);
    return { planned: foldersIn(folder).length, runs: names.flatMap((preset) => completed.filter(({ manifest }) => manifest.preset === preset).slice(-1)) };
  }
  if (kind === "run") {
    const begun = foldersIn(folder).filter((each) => existsSync(join(folder, each, "run.json")) && read(folder, each, "run.json").preset === name);
    const completed = completedRuns(folder).filter(({ manifest }) => manifest.preset === name);
    return { planned: Math.min(begun.length, 1), runs: completed.slice(-1) };
  }
  const directory = foldersIn(folder)
    .map((each) => join(folder, each))
    .findLast((each) => existsSync(join(each, "plan.json")) && read(each, "plan.json").name === name);
  if (directory === undefined) return { planned: 0, runs: [] };
  const document = existsSync(join(directory, "result.json")) ? read(directory, "result.json") : undefined;
  const { trials, question } = read(directory, "plan.json");
  const ledger = readLedger(directory);
  const ended = question.cells.flatMap(({ arm, seed, trial }) => (ledger.get(trial)?.result ? [{ arm, seed, ...ledger.get(trial).result }] : []));
  return { planned: trials.length, runs: completedRuns(join(directory, "runs")), document, ended };
}

function timeOf({ runs }) {
  const seconds = runs.map(({ manifest }) => manifest.seconds);
  const cores = runs.map((run) => run.cores);
  const range = Math.min(...cores).toFixed(2) === Math.max(...cores).toFixed(2) ? "" : ` to ${Math.max(...cores).toFixed(2)}`;
  const began = Math.min(...runs.map(({ manifest }) => Date.parse(manifest.created)));
  const ended = Math.max(...runs.map(({ manifest }) => Date.parse(manifest.ended)));
  return (
    `${runs.length} ${runs.length === 1 ? "training" : "trainings"}, ${shownTime(sum(seconds))} of training in total, ` +
    `${shownTime((ended - began) / 1000)} from the first start to the last end, pauses included. ` +
    `A training used ${Math.min(...cores).toFixed(2)}${range} of one core on average.`
  );
}

function spread({ mean, sd, n }) {
  return n === 0 ? "–" : `${shownFigure(mean)} ± ${shownFigure(sd)} (${n})`;
}

/** Both arms and their difference, one line per measure; deciding measures are bold. */
function measureTable({ measures, control, verdict }) {
  const treatment = verdict.arms.map(({ arm }) => arm).join(", ");
  const rows = measures
    .filter((each) => each.control.n + each.treatment.n > 0)
    .map((each) => [
      each.decides ? `**${each.measure}**` : each.measure,
      spread(each.control),
      spread(each.treatment),
      spread(each.difference),
      each.test === null ? shownP(each.p) : `${shownP(each.p)} (${each.test})`,
      each.decides ? shownP(each.holm) : "",
    ]);
  return markdownTable(["measure", control[0]?.arm ?? "control", treatment, "difference, paired by seed", "p", "corrected p"], rows);
}

/** Values by seed of deciding measures and of measures at a step. */
function seedTable({ measures, control, seeds }) {
  const shown = measures.filter(({ measure, decides }) => decides || measure.includes("@"));
  const trained = [...seeds.keys()].filter((at) => control.some(({ seed }) => seed === seeds[at]));
  const valuesOf = ({ values }) => trained.map((at) => shownFigure(values[at]));
  const rows = shown.flatMap(({ measure, arm, control: before, treatment }) => [
    [measure, control[0]?.arm ?? "control", ...valuesOf(before)],
    [measure, arm, ...valuesOf(treatment)],
  ]);
  return markdownTable(["measure", "arm", ...trained.map((at) => `seed ${seeds[at]}`)], rows);
}

function confounds({ confounds: found }, preset) {
  const isPackage = ({ what }) => what.startsWith("Python package ");
  const packages = found.filter(isPackage).map(({ what }) => what.replace("Python package ", ""));
  const computed = found
    .filter((each) => !isPackage(each))
    .map(({ what, control, treatment, remove }) => `${what}: ${control} against ${treatment}; removed by ${remove ?? "no option"}`);
  if (packages.length > 0) computed.push(`installed Python packages: ${packages.join(", ")}; removed by one environment for both arms`);
  const known = `Known confounds: ${preset.confound}`;
  return found.length === 0 ? [`${known} No others were found in the files of the runs.`] : [`${known} Found in the files of the runs:`, list(computed)];
}

/** `over 3 seeds`; under sequential rules `after 9 of at most 40 pairs`. */
function basisOf({ seeds, sequential }) {
  if (sequential === undefined) return `over ${seeds.length} seeds`;
  return `after ${Math.max(...sequential.arms.map(({ pairs }) => pairs))} of at most ${sequential.maximum} pairs`;
}

function experimentSection(piece, found) {
  const preset = experimentPresets[piece.name];
  const { document } = found;
  return {
    title: preset.title,
    answer: `**${document.verdict.result}** ${basisOf(document)}`,
    asks: preset.asks,
    body: [
      `**${document.verdict.result}**: ${sentence(document.verdict.reason)}`,
      ...(document.verdict.notes ? [list(document.verdict.notes)] : []),
      "Mean ± sample standard deviation (n). Deciding measures are bold; see [what is measured](experiments.md#what-is-measured).",
      measureTable(document),
      seedTable(document),
      `The rules, fixed before the first step (SHA-256 \`${document.verdict.rulesHash.slice(0, 12)}…\`):`,
      list(document.verdict.rules),
      ...confounds(document, preset),
      ...(document.traps.length === 0
        ? []
        : ["Shared by all arms:", list(document.traps.map(({ what, corrected }) => `${what}; corrected by \`${corrected}\``))]),
    ],
  };
}

async function runSection(piece, found) {
  const preset = presets[piece.name];
  const result = await (await openRun(found.runs[0].directory)).result();
  const { census, corpus, steps, displacement, verdict, traps } = result;
  const [step, loss] = result.loss.at(-1) ?? [];
  return {
    title: preset.title,
    answer: `**${verdict.result}**, one seed`,
    asks: preset.summary,
    body: [
      `**${verdict.result}**, by the notebook's rule for one run: ${sentence(verdict.reason)} One seed has no spread and proves little.`,
      markdownTable(
        ["steps", "C", "P", "distinct rows", "dead tokens", "loss", "displacement, float32 (bfloat16)"],
        [
          [
            `${steps.done} of ${steps.planned}`,
            String(census.C),
            String(census.P),
            `${census.unique} of ${census.rows}`,
            String(corpus.dead),
            loss === undefined ? "–" : `${shownFigure(loss)} at step ${step}`,
            `${shownFigure(displacement.float32)} (${shownFigure(displacement.bfloat16)})`,
          ],
        ],
      ),
      "Other possible explanations:",
      list(traps.map(({ what, corrected }) => `${what}; corrected by \`${corrected}\``)),
    ],
  };
}

/** The full runs of engine `portable`, whose histories anybody can compare by their SHA-256. */
async function portableSection({ runs }) {
  const rows = [];
  for (const { directory, manifest } of runs) {
    const { verdict, census, displacement, steps } = await (await openRun(directory)).result();
    const hash = createHash("sha256")
      .update(readFileSync(join(directory, "history.safetensors")))
      .digest("hex");
    rows.push([manifest.preset, String(steps.done), verdict.result, String(census.C), String(census.P), shownFigure(displacement.float32), `\`${hash}\``]);
  }
  return {
    title: "The same bits on every machine",
    answer: `${runs.length} histories to compare`,
    asks: "Engine `portable` gives these histories on every x86-64 and arm64 CPU, with any number of threads and any version of PyTorch.",
    body: [
      "To check one, train it with the same text and compare the SHA-256 of `history.safetensors`, which the run's `SHA256SUMS` also lists.",
      markdownTable(["preset", "steps", "by the notebook's rule", "C", "P", "displacement", "SHA-256 of history.safetensors"], rows),
    ],
  };
}

/** The trainings of an experiment that have ended, one line each. */
function endedTable(ended) {
  const rows = ended.map(({ arm, seed, verdict, census: { C, P, unique, rows: all }, displacement, finalLoss }) => [
    arm,
    String(seed),
    verdict.result,
    String(C),
    String(P),
    `${unique} of ${all}`,
    shownFigure(displacement.float64),
    shownFigure(finalLoss),
  ]);
  return markdownTable(["arm", "seed", "by the notebook's rule", "C", "P", "distinct rows", "displacement", "final loss"], rows);
}

/** A piece that has no answer yet. */
function openSection({ kind, name }, { planned, runs, ended = [] }) {
  const preset = kind === "experiment" ? experimentPresets[name] : (presets[name] ?? { title: "The same bits on every machine", asks: "" });
  const answer = planned === 0 ? "not run yet" : `not complete yet: ${runs.length} of ${planned} trainings`;
  const told = ended.length === 0 ? [] : ["There is no verdict until all trainings have ended. The trainings that have ended:", endedTable(ended)];
  return { title: preset.title, answer, asks: preset.asks ?? preset.summary, body: [`${answer[0].toUpperCase()}${answer.slice(1)}.`, ...told] };
}

async function sectionOf(piece) {
  const found = foundOf(piece);
  const section =
    piece.kind === "experiment" && found.document !== undefined
      ? experimentSection(piece, found)
      : piece.kind === "run" && found.runs.length > 0
        ? await runSection(piece, found)
        : piece.kind === "portable" && found.runs.length > 0
          ? await portableSection(found)
          : openSection(piece, found);
  return { ...section, piece, found };
}

/** The section of a piece on an earlier page; undefined if it is missing, or if nothing was trained. */
function keptFrom(page, { name }) {
  const row = page.split("\n").find((line) => line.startsWith(`| [${name}](`));
  const section = page.split(/\n(?=## )/).find((text) => text.startsWith(`## ${name}\n`));
  if (row === undefined || section === undefined || row.includes("not run yet")) return undefined;
  const [, answer, trainings] = row.slice(2, -2).split(" | ");
  return { answer, trainings, text: section.trimEnd() };
}

const machineOf = ({ python }) => `${python.processor}, ${python.cores} cores, ${python.cpu_capability}`;
const versionOf = ({ manifest }) => `${manifest.package_version}, commit ${manifest.git?.commit.slice(0, 7) ?? "unknown"}`;
const dayOf = ({ manifest }) => manifest.created.slice(0, 10);

/** The environment of all runs; where they differ, all values are listed. */
function surroundings(runs) {
  const each = (of) => distinct(runs.map(of));
  const { corpus } = runs[0].manifest;
  return markdownTable(
    ["", ""],
    [
      ["text", `SHA-256 \`${each(({ manifest }) => manifest.corpus.sha256)}\`, ${corpus.tokens} tokens, ${corpus.distinct} distinct, ${corpus.dead} dead`],
      ["machine", each(machineOf)],
      ["device", each(({ manifest: { environment } }) => `${environment.device}, ${environment.threads} thread for each training`)],
      ["bh-bridge", each(versionOf)],
      ["Node", each(({ node }) => node.node)],
      ["Python", each(({ manifest }) => manifest.environment.python)],
      ...["torch", "transformers", "accelerate", "safetensors", "numpy"].map((name) => [name, each(({ manifest }) => manifest.environment[name])]),
      ["system", each(({ manifest }) => manifest.environment.platform)],
      ["when", each(dayOf)],
    ],
  );
}

/**
 * The page of results: questions, results, rules, environment and times, read from the files of the runs. The section of a piece that was not started here
 * is copied from the earlier page.
 *
 * @param pieces `{ kind, name, folder, command }` in their order; `kind` is `experiment`, `run` or `portable`, `folder` holds its directories.
 * @param before the page as it was.
 */
export async function resultsPage(pieces, before) {
  const sections = [];
  for (const piece of pieces) sections.push(await sectionOf(piece));
  const runs = sections.flatMap(({ found }) => found.runs);
  const told = sections.map((section) => (section.found.planned === 0 ? keptFrom(before, section.piece) : undefined) ?? written(section));
  const blocks = [
    "# Results of the full runs",
    "`npm run results -- --corpus FILE` trains these runs, resumes where it stopped, and writes this page from their files.",
    markdownTable(
      ["", "answer", "trainings"],
      pieces.map(({ name }, index) => [`[${name}](#${name.replaceAll(".", "")})`, told[index].answer, told[index].trainings]),
    ),
    ...(runs.length === 0
      ? []
      : [
          "## Environment",
          "A section whose last line names another machine or commit was trained earlier, and its files no longer exist.",
          surroundings(runs),
          "Times are the training times that the runs recorded. Parallel trainings count separately, and other work on the machine makes them longer. A time with less than one core does not show the speed of bh-bridge.",
        ]),
    ...told.map(({ text }) => text),
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** The section of a piece. */
function written({ piece, title, asks, answer, body, found }) {
  const { runs } = found;
  const on = () => `On ${distinct(runs.map(machineOf))}; bh-bridge ${distinct(runs.map(versionOf))}; ${distinct(runs.map(dayOf))}.`;
  const blocks = [`## ${piece.name}`, `*${title}.* ${asks}`, `\`${piece.command}\``, ...body, ...(runs.length === 0 ? [] : [timeOf(found), on()])];
  return { answer, trainings: String(runs.length), text: blocks.join("\n\n") };
}
