import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { z } from "zod";
import { BhBridgeError, exitCodes } from "../errors.js";
import type { JudgementDocument } from "../sweep/judge/judge.js";
import { shellQuote } from "../text/escaping.js";
import { count } from "../text/format.js";
import { type CommonOptions, createCommand, repeated } from "./terminal/command.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { Terminal } from "./terminal/terminal.js";

/** The document of `judge --rules FILE --sha256 --json`. */
export const rulesHashDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/rules-hash@1"), sha256: z.string() });
export type RulesHashDocument = z.output<typeof rulesHashDocumentSchema>;

const results = ["positive", "null", "inconclusive", "degenerate"] as const;

type JudgeCommandOptions = CommonOptions & {
  control?: string;
  arm?: string[];
  seed?: string;
  measure?: string[];
  unpaired?: boolean;
  rules?: string;
  sha256?: boolean;
  assert?: (typeof results)[number];
  python?: string;
  report?: string;
  figures?: string;
  force?: boolean;
};

export function judgeCommand(): Command {
  return createCommand(
    "judge",
    "Judge a table of results from any tool by the rules of experiments; nothing is trained",
    "bh-bridge judge results.csv --control baseline",
    "bh-bridge judge results.csv --control baseline --rules rules.yaml --assert positive",
    "bh-bridge judge --rules rules.yaml --sha256",
  )
    .argument("[table]", "CSV, TSV, JSON, JSON lines or Parquet with the columns arm, seed and measures; - for stdin; or a folder of runs or logs")
    .option("--control <arm>", "arm that every other arm is compared with (default: the control of an experiment)")
    .option("--arm <column>", "column of the arms (default: arm); repeat it for a table with one column per arm", repeated)
    .option("--seed <column>", "column that pairs the rows of two arms (default: seed)")
    .option("--measure <column>", "column of a measure (default: all columns of numbers); may be repeated", repeated)
    .option("--unpaired", "comparison without pairs, for arms with other seeds")
    .option("--rules <file>", "rules fixed in advance: an experiment file, or its rules alone")
    .option("--sha256", "print the hash of the rules, to quote in a preregistration")
    .addOption(new Option("--assert <result>", "expected result, else exit code 1").choices(results))
    .option("--python <path>", "Python interpreter with tensorboard or wandb, for their logs")
    .option("--report <file>", "also write a self-contained HTML page")
    .option("--figures <dir>", "also write the forest plot as SVG, PNG, CSV and JSON")
    .option("--force", "replacement of files that are no reports or were changed")
    .action(judgeInTerminal);
}

async function judgeInTerminal(table: string | undefined, options: JudgeCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { judge, readTableRules, rulesHashOf } = await import("../sweep/judge/judge.js");
  const { control, arm, seed, measure, unpaired, rules: file, sha256, assert, python } = options;
  const rules = file === undefined ? undefined : await readTableRules(file);
  if (sha256 && table === undefined) {
    if (rules === undefined) throw new BhBridgeError("USAGE", "--sha256 needs rules: name a file with --rules");
    const hash = rulesHashOf(rules);
    terminal.document({ schema: "bh-bridge/rules-hash@1", sha256: hash } satisfies RulesHashDocument);
    return terminal.print(hash);
  }
  if (table === undefined) throw new BhBridgeError("USAGE", "name a table, or - for stdin: bh-bridge judge results.csv --control baseline");
  await requireFreePaths(options);
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping" });
  const columns = { control, arm: arm?.length === 1 ? arm[0] : arm, seed, measures: measure };
  const judgement = await judge(table, { ...columns, unpaired, rules, python, signal: stop.signal });
  terminal.document(judgement);
  if (!terminal.json) {
    if (sha256) terminal.print(judgement.verdict.rulesHash);
    else terminal.print(await formatted(judgement, terminal));
  }
  await writePictures(judgement, options, terminal);
  if (assert === undefined || assert === judgement.verdict.result) return;
  terminal.say(`Expected ${assert}, but the result is ${judgement.verdict.result}`);
  process.exitCode = exitCodes.failed;
}

async function formatted(judgement: JudgementDocument, { color, width }: Terminal): Promise<string> {
  const { formatJudgement } = await import("./sweep/format-sweep.js");
  return formatJudgement(judgement, color, width);
}

/** Refuse paths that must not be replaced before judging. */
async function requireFreePaths({ report, figures, force }: JudgeCommandOptions): Promise<void> {
  if (force) return;
  if (report !== undefined) (await import("../report/write-page.js")).requireOwnPage(report, "html");
  if (figures !== undefined) (await import("../report/write-figures.js")).requireReplaceable(figures, []);
}

/** Write the page and the folder of figures that the options name. */
async function writePictures(judgement: JudgementDocument, options: JudgeCommandOptions, terminal: Terminal): Promise<void> {
  const { report, figures } = options;
  if (report === undefined && figures === undefined) return;
  const { forestOfTable } = await import("../figures/many/forest.js");
  const drawn = (["deciding", "others"] as const).map((of) => forestOfTable(judgement, of)).filter((figure) => figure !== undefined);
  if (figures !== undefined) {
    const { writeFigures } = await import("../report/write-figures.js");
    const written = writeFigures(figures, drawn, options);
    if (!terminal.json) terminal.print(`${resolve(figures)}: ${count(written.length, "figure")}`);
  }
  if (report === undefined) return;
  const [{ judgementPage }, { writeHtml }] = await Promise.all([import("../report/many-pages.js"), import("../report/write-page.js")]);
  writeHtml(
    report,
    judgementPage(
      judgement,
      drawn.map((figure) => ({ figure })),
      commandOf(judgement, options),
    ),
  );
  if (!terminal.json) terminal.print(resolve(report));
}

function commandOf({ table, control }: JudgementDocument, { arm = [], seed, measure = [], unpaired, rules }: JudgeCommandOptions): string {
  const words = [
    table,
    "--control",
    control,
    ...arm.flatMap((name) => ["--arm", name]),
    ...(seed === undefined ? [] : ["--seed", seed]),
    ...measure.flatMap((name) => ["--measure", name]),
    ...(unpaired ? ["--unpaired"] : []),
    ...(rules === undefined ? [] : ["--rules", rules]),
  ];
  return `bh-bridge judge ${words.map(shellQuote).join(" ")}`;
}
