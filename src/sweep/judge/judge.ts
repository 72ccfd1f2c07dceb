import { existsSync } from "node:fs";
import { z } from "zod";
import { configInvalid, nearestName } from "../../config/config-invalid.js";
import { isPlainObject } from "../../config/json-value.js";
import { readWrittenObject } from "../../config/read-config-file.js";
import type { ConfigIssue } from "../../errors.js";
import { isDirectory } from "../../formats/file-bytes.js";
import { count } from "../../text/format.js";
import { experimentVerdict, experimentVerdictSchema } from "../experiment/experiment-verdict.js";
import { defaultMeasures, measureProblem } from "../experiment/measures.js";
import { type MeasureComparison, measureComparisonSchema, pairedStatistics } from "../experiment/paired-statistics.js";
import {
  type ExperimentEvidence,
  type ExperimentRun,
  type MeasuredRun,
  measuredValue,
  readExperimentRun,
  requireDistinctRuns,
} from "../experiment/read-experiment-run.js";
import { appliedRules, minPairsForNull, minSeeds, type Rules, rulesHash, rulesSchema, storedRules, storedRulesSchema } from "../experiment/rules.js";
import { sequentialEvidence, sequentialEvidenceSchema } from "../experiment/sequential.js";
import { writtenIssues } from "../grammar/load-sweep.js";
import { holm, moments } from "../statistics/moments.js";
import { fisherTest, unpairedTest } from "../statistics/unpaired-test.js";
import { judgementVerdict, type TableEvidence } from "./judgement-verdict.js";
import { type OwnRuns, readLogs, readOwnRuns } from "./read-logs.js";
import {
  type ArmColumns,
  armsOf,
  numberOf,
  ordered,
  readTable,
  repeatedSeeds,
  type Table,
  tableInvalid,
  tableOfRows,
  textCells,
  unequalSeeds,
} from "./read-table.js";

/** Rules of a table: without `decides`, every column of numbers decides. */
export const tableRulesSchema = z.strictObject({
  ...rulesSchema.shape,
  decides: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Columns that decide the verdict (default: every column of numbers); all others are described, not judged."),
});
export type TableRulesInput = z.input<typeof tableRulesSchema>;

/**
 * Read rules from an experiment file, or from a file with the rules alone: JSON, YAML, TypeScript or JavaScript.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once.
 */
export async function readTableRules(path: string, cwd = process.cwd()): Promise<TableRulesInput> {
  const { values, sourceOf } = await readWrittenObject(path, cwd, { what: "rules", definedBy: "defineExperiment" });
  const { $schema: _, ...alone } = values;
  const isExperiment = isPlainObject(values["rules"]);
  const written = isExperiment ? values["rules"] : alone;
  const parsed = tableRulesSchema.safeParse(written);
  const within = (path: string) => sourceOf(isExperiment ? `rules.${path}` : path);
  if (!parsed.success) throw configInvalid(writtenIssues(parsed.error, written, Object.keys(tableRulesSchema.shape), within), parsed.error);
  return parsed.data;
}

/** SHA-256 of rules that name their deciding measures. @throws {BhBridgeError} `CONFIG_INVALID`. */
export function rulesHashOf({ decides, ...rules }: TableRulesInput): string {
  if (decides === undefined) throw configInvalid([{ path: "decides", message: "is missing: rules fixed in advance name the measures that decide" }]);
  return rulesHash(appliedRules({ ...tableRulesSchema.parse(rules), decides }));
}

/** Options of `judge`. */
export interface JudgeOptions extends ArmColumns {
  readonly rules?: TableRulesInput | undefined;
  /** Judge without pairs, also if there are seeds. */
  readonly unpaired?: boolean | undefined;
  /** Interpreter with the library of TensorBoard or W&B logs. */
  readonly python?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `bh-bridge/judgement@1`: the document of `judge --json`. */
export const judgementDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/judgement@1"),
  table: z.string().describe("Path of the table; `-` for standard input"),
  rows: z.int().nonnegative(),
  control: z.string(),
  arms: z.array(z.string()).readonly().describe("All other arms"),
  pairing: z.enum(["paired", "unpaired"]),
  seeds: z.array(z.string()).readonly().describe("The seeds that pair the rows, in the order of the values; empty if unpaired"),
  ignored: z.array(z.string()).readonly().describe("Columns that are not measures"),
  measures: z.array(measureComparisonSchema).readonly().describe("Every measure of every arm against the control; deciding measures come first"),
  rules: storedRulesSchema,
  sequential: sequentialEvidenceSchema.optional().describe("The evidence as it grew, if the rules are sequential"),
  verdict: experimentVerdictSchema,
});
export type JudgementDocument = z.output<typeof judgementDocumentSchema>;

/**
 * Judge results by the rules of experiments: every arm against the control, paired by seed if there are seeds. Nothing is trained.
 * @param table path of a CSV, TSV, JSON, JSON lines or Parquet file; `-` for standard input; a folder of runs or logs; or the rows.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems of the table and the rules at once; as reading a file, runs or logs.
 */
export async function judge(table: string | readonly Readonly<Record<string, unknown>>[], options: JudgeOptions): Promise<JudgementDocument> {
  if (typeof table !== "string") return judgeTable(tableOfRows(table, "rows"), options);
  if (table === "-" || !existsSync(table) || !isDirectory(table)) return judgeTable(await readTable(table), options);
  const own = await readOwnRuns(table);
  return own === undefined ? judgeTable(await readLogs(table, options), options) : await judgeRuns(table, own, options);
}

/** Judge runs of this package as an experiment does, from their files. */
async function judgeRuns(source: string, { runs, question }: OwnRuns, options: JudgeOptions): Promise<JudgementDocument> {
  const { rules: given, measures: named = [], unpaired, signal } = options;
  const arms = question?.arms ?? [...new Set(runs.map(({ arm }) => arm))];
  const control = options.control ?? question?.arms[0];
  const issues = controlProblems(control, arms);
  if (unpaired) issues.push({ path: "unpaired", message: "runs of bh-bridge are paired by seed. To judge them without pairs, judge a table of their results" });
  const parsed = rulesSchema.safeParse(given ?? {});
  for (const { path, message } of parsed.error?.issues ?? []) issues.push({ path: ["rules", ...path].join("."), message });
  for (const problem of named.flatMap((name) => measureProblem(name) ?? [])) issues.push({ path: "measure", message: problem });
  if (control === undefined || parsed.data === undefined || issues.length > 0) throw tableInvalid(source, issues);
  const rules = given === undefined && question !== null ? question.rules : appliedRules(parsed.data);
  const measures = [...new Set([...rules.decides, ...named, ...defaultMeasures])];
  const read: ExperimentRun[] = [];
  for (const { arm, directory } of runs) read.push(await readExperimentRun(directory, arm, measures, { signal }));
  const seeds = question?.seeds ?? [...new Set(read.map(({ seed }) => seed))].sort((one, other) => one - other);
  requireDistinctRuns({ arms, seeds, runs });
  const evidence = { rules, seeds, control, treatments: arms.filter((arm) => arm !== control), runs: read };
  const comparisons = pairedStatistics(evidence, measures);
  return {
    ...documentOf(source, evidence, comparisons),
    rows: runs.length,
    pairing: "paired",
    seeds: seeds.map(String),
    ignored: [],
    verdict: experimentVerdict(evidence, comparisons),
  };
}

/** The parts of a document that do not depend on the source. */
function documentOf(
  table: string,
  { rules, control, treatments, ...evidence }: ExperimentEvidence<MeasuredRun>,
  measures: readonly MeasureComparison[],
): Pick<JudgementDocument, "schema" | "table" | "control" | "arms" | "measures" | "rules" | "sequential"> {
  return {
    schema: "bh-bridge/judgement@1",
    table,
    control,
    arms: treatments,
    measures,
    rules: storedRules(rules),
    ...(rules.sequential && { sequential: sequentialEvidence({ rules, control, treatments, ...evidence }) }),
  };
}

/** Why there is no control, or nothing to compare with it. */
function controlProblems(control: string | undefined, arms: readonly string[]): ConfigIssue[] {
  if (arms.length === 0) return [];
  const listed = `the arms are ${arms.map((arm) => (/[\s,]/.test(arm) ? JSON.stringify(arm) : arm)).join(", ")}`;
  if (control === undefined) return [{ path: "control", message: `name the arm that every other arm is compared with (--control): ${listed}` }];
  if (!arms.includes(control)) {
    const near = nearestName(control, arms);
    return [{ path: "control", message: `there is no arm ${JSON.stringify(control)}: ${near ? `did you mean ${JSON.stringify(near)}? ` : ""}${listed}` }];
  }
  return arms.length > 1 ? [] : [{ path: "arms", message: `there is only the arm ${control}: another arm is needed to compare it with` }];
}

function judgeTable(table: Table, options: JudgeOptions): JudgementDocument {
  const { evidence, described, ignored, notes } = evidenceOf(table, options);
  const { pairing, labels } = evidence;
  const comparisons = pairing === "paired" ? pairedStatistics(evidence, described) : unpairedStatistics(evidence, described);
  // Planned pairs that the table does not have yet have no values.
  const trimmed = (arm: MeasureComparison["control"]) => (pairing === "paired" ? { ...arm, values: arm.values.slice(0, labels.length) } : arm);
  const measures = comparisons.map((comparison) => ({ ...comparison, control: trimmed(comparison.control), treatment: trimmed(comparison.treatment) }));
  const document = documentOf(table.source, evidence, measures);
  const verdict = judgementVerdict(evidence, comparisons, { notes, sequence: document.sequential });
  return { ...document, rows: table.rows.length, pairing, seeds: labels, ignored, verdict };
}

/** The maximum of sequential rules: a table has no plan. */
const sequentialMaximum = 40;

/** The rows of a table as evidence. @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once. */
function evidenceOf(table: Table, options: JudgeOptions) {
  const issues: ConfigIssue[] = [];
  const { control = "" } = options;
  const { rows, columns, hasSeeds } = armsOf(table, options, issues);
  const { asides = [] } = table;
  const arms = [...new Set(rows.map(({ arm }) => arm))];
  issues.push(...controlProblems(options.control, arms));
  const treatments = arms.filter((arm) => arm !== control);
  const isPaired = hasSeeds && options.unpaired !== true;
  const labels = isPaired ? ordered([...new Set(rows.map(({ seed = "" }) => seed))]) : [];
  issues.push(...repeatedSeeds(rows), ...(isPaired && arms.includes(control) ? unequalSeeds(rows, control, treatments) : []));
  const numbers = new Map(columns.map((column) => [column, rows.map(({ cells }) => numberOf(cells[column]))]));
  const numeric = columns.filter((column) => numbers.get(column)?.some((value) => typeof value === "number"));
  const measured = numeric.filter((column) => !asides.includes(column));
  const { rules, read } = rulesOf(options, measured, columns, issues);
  for (const column of read) issues.push(...textCells(column, rows, numbers));
  const binary = read.filter((column) => {
    const values = numbers.get(column)?.filter((value) => typeof value === "number") ?? [];
    return values.length > 0 && values.every((value) => value === 0 || value === 1);
  });
  issues.push(...rulesProblems(rules, binary, isPaired));
  if (issues.length > 0) throw tableInvalid(table.source, issues);
  const runs = rows.map(({ arm, seed = "" }, at): MeasuredRun => {
    const values = read.map((column) => [column, numbers.get(column)?.[at] ?? null]);
    return { arm, seed: isPaired ? labels.indexOf(seed) : at, degenerate: [], values: Object.fromEntries(values) };
  });
  const notes = [
    ...(isPaired
      ? []
      : [
          options.unpaired
            ? "Unpaired, as asked for"
            : "Unpaired: the table has no column of seeds. Pairs by seed detect smaller differences (--seed names the column)",
        ]),
    ...(options.rules?.decides || options.measures
      ? []
      : [
          `No deciding measure was fixed in advance: ${rules.decides.length === 1 ? "the only column of numbers decides" : `all ${count(rules.decides.length, "column")} of numbers decide`} (${rules.decides.join(", ")})${rules.decides.length === 1 ? "" : ", corrected for their number"}`,
        ]),
  ];
  const planned = rules.sequential ? Math.max(labels.length, sequentialMaximum) : labels.length;
  return {
    evidence: {
      rules,
      seeds: Array.from({ length: isPaired ? planned : 0 }, (_, at) => at),
      labels,
      control,
      treatments,
      runs,
      pairing: isPaired ? "paired" : "unpaired",
      binary,
    } satisfies TableEvidence,
    described: read.filter((column) => !rules.decides.includes(column)),
    ignored: columns.filter((column) => !read.includes(column)),
    notes,
  };
}

/** The rules with their deciding columns, and all columns to read. */
function rulesOf(
  { rules: given = {}, measures }: JudgeOptions,
  numeric: readonly string[],
  columns: readonly string[],
  issues: ConfigIssue[],
): { rules: Rules; read: readonly string[] } {
  const parsed = tableRulesSchema.safeParse(given);
  for (const { path, message } of parsed.error?.issues ?? []) issues.push({ path: ["rules", ...path].join("."), message });
  const { decides = measures ?? numeric, margin = {}, ...rest } = parsed.data ?? tableRulesSchema.parse({});
  for (const [at, name] of [...new Set([...decides, ...(measures ?? [])])].entries()) {
    if (columns.includes(name) || columns.length === 0) continue;
    const near = nearestName(name, columns);
    const meant = near === undefined ? "" : `did you mean ${JSON.stringify(near)}? `;
    issues.push({
      path: at < decides.length ? "decides" : "measure",
      message: `there is no column ${JSON.stringify(name)}: ${meant}the columns are ${columns.join(", ")}`,
    });
  }
  if (decides.length === 0 && columns.length > 0) issues.push({ path: "measures", message: `no column has numbers: ${columns.join(", ")}` });
  for (const name of Object.keys(margin).filter((each) => !decides.includes(each))) {
    issues.push({ path: `margin.${name}`, message: `${name} is not a deciding measure: a margin applies to one of ${decides.join(", ")}` });
  }
  const read = [...new Set([...decides, ...(measures ?? numeric)])].filter((name) => columns.includes(name));
  return { rules: appliedRules({ ...rest, decides: [...new Set(decides)], margin }), read };
}

function rulesProblems({ decides, margin, test, sequential }: Rules, binary: readonly string[], isPaired: boolean): ConfigIssue[] {
  const withMargin = decides.filter((name) => binary.includes(name) && (margin[name] ?? 0) > 0);
  const remedy = "Remove it, and set nullBelow to the rate of differing pairs that you tolerate";
  const needsPairs = "needs pairs. Name the column of seeds with --seed";
  return [
    ...withMargin.map((name) => ({ path: `margin.${name}`, message: `${name} is 0 or 1 and has no margin. ${remedy}` })),
    ...(test === "median" && !isPaired ? [{ path: "rules.test", message: `the sign test of the median ${needsPairs}, or use test: mean` }] : []),
    ...(sequential && !isPaired ? [{ path: "rules.sequential", message: `judging after every pair ${needsPairs}, or set sequential: false` }] : []),
  ];
}

/** Compare every measure of every treatment with the control, without pairs. Holm's correction is that of pairs. */
function unpairedStatistics(evidence: TableEvidence, measures: readonly string[]): MeasureComparison[] {
  const { rules, treatments } = evidence;
  const named = [...new Set([...rules.decides, ...measures])];
  const all = treatments.flatMap((arm) => named.map((measure) => compareUnpaired(evidence, arm, measure)));
  const deciding = all.filter(({ decides }) => decides);
  const corrected = holm(deciding.map(({ p }) => p ?? 1));
  return all.map((comparison) => (comparison.decides ? decidedUnpaired(comparison, corrected[deciding.indexOf(comparison)] ?? 1, rules) : comparison));
}

function compareUnpaired({ rules, control, runs, binary }: TableEvidence, arm: string, measure: string): MeasureComparison {
  const described = (name: string) => {
    const values = runs.filter((run) => run.arm === name).map((run) => measuredValue(run, measure));
    const known = values.filter((value) => value !== null);
    return { known, lacking: values.length - known.length, arm: { values, ...moments(known) } };
  };
  const [before, after] = [described(control), described(arm)];
  const decides = rules.decides.includes(measure);
  const margin = decides ? (rules.margin[measure] ?? 0) : null;
  const lacking = { control: before.lacking, treatment: after.lacking };
  const n = Math.min(before.known.length, after.known.length);
  const mean = before.arm.mean === null || after.arm.mean === null ? null : after.arm.mean - before.arm.mean;
  const shape = { measure, arm, decides, margin, control: before.arm, treatment: after.arm, holm: null };
  const difference = { n, mean, sd: null, tInterval: null, signFlipInterval: null, centre: mean, interval: null, floor: 0 };
  if (n < minSeeds) return { ...shape, difference, test: null, p: null, pNull: null };
  if (binary.includes(measure)) return { ...shape, difference, test: "Fisher", p: fisherTest(before.known, after.known, lacking), pNull: null };
  const areWhole = [...before.known, ...after.known].every(Number.isInteger);
  const tested = unpairedTest(before.known, after.known, { margin: margin ?? 0, lacking, level: 1 - rules.alpha, areWhole });
  if (tested === null) return { ...shape, difference, test: null, p: null, pNull: null };
  const { centre, interval, floor, welchInterval, p, pNull, method } = tested;
  return {
    ...shape,
    difference: { ...difference, centre, interval, floor, tInterval: welchInterval },
    test: method === "all" ? "permutation and Welch" : "permutation (drawn) and Welch",
    p,
    pNull: margin === 0 ? null : pNull,
  };
}

function decidedUnpaired(comparison: MeasureComparison, corrected: number, rules: Rules): MeasureComparison {
  const { difference, pNull, control, treatment } = comparison;
  const [margin, floor, centre] = [comparison.margin ?? 0, difference.floor ?? 0, difference.centre ?? null];
  const values = [...control.values, ...treatment.values];
  const isWhole = !values.includes(null) && difference.n >= minPairsForNull(rules);
  const differs = centre !== null && corrected <= rules.alpha && Math.abs(centre) - floor > margin;
  const isWithin =
    margin === 0 ? values.every((value) => value === values[0]) : centre !== null && (pNull ?? 1) <= rules.alpha && Math.abs(centre) + floor < margin;
  return { ...comparison, holm: corrected, outcome: differs ? "differs" : isWhole && isWithin ? "equal" : "open" };
}
