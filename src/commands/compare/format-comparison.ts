import { basename } from "node:path";
import type { ExactNumber } from "../../analysis/document-fields.js";
import type { Comparison } from "../../compare/compare.js";
import type { TracedDifference } from "../../compare/compare-traces.js";
import type { Divergence } from "../../compare/locate-divergence.js";
import type { Difference } from "../../compare/run-facts.js";
import { inlineYaml } from "../../config/annotated-yaml.js";
import { printable } from "../../text/escaping.js";
import { count, groupDigits, type TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { table } from "../terminal/table.js";

/** Position and size of a difference between two recordings. */
export function recordPosition(first: NonNullable<Comparison["history"][number]["first"]>): string {
  const { step, tensor, token, component } = first;
  return `step ${groupDigits(step)}, ${tensor}, token ${token}, component ${component}: ${both(first)}`;
}

export function both({ a, b, ulp }: { a: ExactNumber; b: ExactNumber; ulp: number | null }): string {
  return `${a} and ${b}${ulp === null ? "" : `, ${count(ulp, "ULP", "ULP")} apart`}`;
}

/** Lines about the first difference between two trainings. @param names of the two trainings. */
export function divergenceLines({ until, equalTo, step, first, module, unlike }: Divergence, names: readonly [a: string, b: string]): string[] {
  const unlikeLines = unlike.map(({ which, history, loss }) => {
    const where = history ? `its history differs first at ${recordPosition(history)}` : `the loss of step ${loss?.step}: ${loss?.a} and ${loss?.b}`;
    return `${which === "a" ? names[0] : names[1]} differs from its recording: ${where} (recorded, and now)`;
  });
  if (!first || step === null) {
    return [`Equal in every bit up to step ${groupDigits(until)}: the difference is not reproduced`, ...unlikeLines];
  }
  const equal = equalTo === null ? "Different from the start" : `Equal in every weight and moment up to step ${groupDigits(Math.min(equalTo, step - 1))}`;
  const modules =
    module === null
      ? ["No output and no gradient of a module differs in that step"]
      : module === first
        ? []
        : [`The first module that differs: ${tracedPosition(module, names)}`];
  return [`${equal}. The first difference of step ${groupDigits(step)}: ${tracedPosition(first, names)}`, ...modules, ...unlikeLines];
}

function tracedPosition(difference: TracedDifference, [a, b]: readonly [string, string]): string {
  const { batch, element, reason, type } = difference;
  const types = type[0] === type[1] ? "" : ` (${type[0] ?? "nothing"} in ${a}, ${type[1] ?? "nothing"} in ${b})`;
  const where = `${quantityOf(difference)}${types}${batch === null ? "" : `, batch ${batch}`}`;
  if (element === null) return `${where}: ${named(reason ?? "", a, b)}`;
  const ulp = difference.quantity === "setting" ? null : difference.ulp; // ULP mean nothing for a setting
  const place = element.length === 0 ? "" : `, element [${element.join(", ")}]`;
  return `${where}${place}: ${both({ a: difference.a ?? 0, b: difference.b ?? 0, ulp })}`;
}

/** Replace a and b in a reason by the names of the runs. */
function named(reason: string, a: string, b: string): string {
  return reason.replaceAll(/\b[ab]\b/g, (name) => (name === "a" ? a : b));
}

function quantityOf({ quantity, module, tensor }: TracedDifference): string {
  const owner = module === "" ? "the model" : module;
  const part = tensor === "" ? owner : `${owner} (${tensor})`;
  const [weight = "", key] = tensor.split(/\.(.*)/s);
  const parameter = `${module}.${weight}`;
  const stored = key === undefined ? parameter : `${key} of ${parameter}`;
  const phrases: Record<TracedDifference["quantity"], string> = {
    state: `${stored} before the step`,
    batch: `the batch itself (${tensor})`,
    input: `the input of ${part}`,
    output: `the output of ${part}`,
    "output gradient": `the gradient of the output of ${part}`,
    "input gradient": `the gradient of the input of ${part}`,
    gradient: `the gradient of ${parameter}`,
    "clipped gradient": `the gradient of ${parameter} after clipping`,
    setting: `the optimizer's ${key} for ${parameter}`,
    "updated state": `${stored} after the optimizer's step`,
    "state after noise": `${parameter} after the noise`,
  };
  return phrases[quantity];
}

const longestValue = 24;
const indent = 2;

const sectionTitles: Record<keyof Comparison["differences"], string> = { config: "Configuration", data: "Data", environment: "Environment", code: "Code" };

/** Format a comparison: runs by letter, differences of their inputs, results, and the first different bit. */
export function formatComparison(comparison: Comparison, color: TextColors, width?: number): string {
  const { runs, names, differences } = comparison;
  const letters = runs.map((_, index) => letterOf(index));
  const title = (text: string) => `\n${color.bold(text)}`;
  const sections = Object.entries(sectionTitles) as [keyof typeof sectionTitles, string][];
  const same = sections.filter(([section]) => differences[section].length === 0).map(([, name]) => name.toLowerCase());
  const lines = [
    ...runs.map((run, index) => [letters[index], names?.[index], printable(basename(run))].filter((part) => part !== undefined).join("  ")),
    ...sections.flatMap(([section, name]) => (differences[section].length === 0 ? [] : [title(name), differenceTable(differences[section], letters, width)])),
    ...(same.length === 0 ? [] : ["", `No difference in ${same.join(", ")}`]),
    title("Results"),
    resultTable(comparison, letters, width),
    title("Bit for bit"),
    ...comparison.final.flatMap((_, index) => [...pairLines(comparison, index, letters), ...recipeLines(comparison, index, letters)]),
    ...(comparison.models ?? []).flatMap((models, index) => [title(`Tensors: ${letters[index + 1]} − ${letters[0]}`), distanceTable(models, width)]),
    ...(comparison.deep ? [title("Trained again"), ...deepLines(comparison, letters)] : []),
  ];
  return wrap(lines.join("\n"), width, 2 * indent);
}

/** A, B, …, Z, AA, AB, … */
function letterOf(index: number): string {
  const last = String.fromCharCode("A".charCodeAt(0) + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}

function differenceTable(differences: readonly Difference[], letters: readonly string[], width: number | undefined): string {
  const rows = differences.map(({ path, values }) => [path, ...values.map((value) => printable(inlineYaml(value), longestValue))]);
  return table(["", ...letters], rows, { align: ["left", ...letters.map(() => "left" as const)], width, indent });
}

function resultTable({ results }: Comparison, letters: readonly string[], width: number | undefined): string {
  const head = ["", ...letters.flatMap((letter, index) => (index === 0 ? [letter] : [letter, `${letter} − ${letters[0]}`]))];
  const rows = results.map(({ path, values, difference, relative }) => [
    path,
    ...values.flatMap((value, index) => (index === 0 ? [shown(value)] : [shown(value), distance(difference[index] ?? null, relative[index] ?? null)])),
  ]);
  return table(head, rows, { align: ["left"], width, indent });
}

/** How far each tensor moved between two models. */
function distanceTable({ tensors }: NonNullable<Comparison["models"]>[number], width: number | undefined): string {
  const amount = (value: ExactNumber | null) => (value === null ? "–" : typeof value === "number" ? shown(value) : value);
  const rows = tensors.map(({ tensor, shape, elements, differing, l2, relative, max }) => [
    printable(tensor),
    shape.join(" × "),
    `${groupDigits(differing)} of ${groupDigits(elements)}`,
    ...[l2, relative, max].map(amount),
  ]);
  return table(["", "shape", "different", "L2", "L2 / norm", "largest"], rows, { align: ["left", "left"], width, indent });
}

function shown(value: number | string | boolean | null): string {
  if (value === null) return "–";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? groupDigits(value) : value.toPrecision(6);
}

/** `+4 (400 %)` */
function distance(difference: number | null, relative: number | null): string {
  if (difference === null) return "";
  if (difference === 0) return "0";
  const amount = `${difference > 0 ? "+" : "−"}${digits(Math.abs(difference))}`;
  return relative === null ? amount : `${amount} (${digits(Math.abs(100 * relative))} %)`;
}

function digits(value: number): string {
  return Number.isInteger(value) || value >= 100 ? groupDigits(Math.round(value)) : value.toPrecision(3);
}

function deepLines({ history, deep = [] }: Comparison, letters: readonly string[]): string[] {
  if (deep.length === 0) return ["  Nothing, as they are equal"];
  return deep.flatMap((divergence) => {
    const index = history.findIndex(({ a, b }) => a === divergence.a && b === divergence.b);
    const names = [letters[0] ?? "", letters[index + 1] ?? ""] as const;
    return divergenceLines(divergence, names).map((line) => `  ${names.join(", ")}  ${line}`);
  });
}

/** What can explain the difference of two runs of engine `portable`: its recipe, but nothing else in their environments. */
function recipeLines({ recipes, history, loss, differences }: Comparison, index: number, letters: readonly string[]): string[] {
  const [before, after] = [recipes?.[0] ?? null, recipes?.[index + 1] ?? null];
  const differs = history[index]?.first || loss[index]?.first;
  if (before === null || after === null || !differs) return [];
  const pair = `  ${letters[0]}, ${letters[index + 1]}  `;
  if (before !== after) return [`${pair}recipes ${before} and ${after} of engine portable compute different bits`];
  const others = (["config", "data"] as const).filter((section) => differences[section].length > 0);
  if (others.length > 0) return [];
  return [`${pair}both are of engine portable: no difference of their environments explains this. Check their files with: bh-bridge runs verify`];
}

type Weight = NonNullable<Comparison["final"][number]["first"]>;

function pairLines({ history, weights, loss, final }: Comparison, index: number, letters: readonly string[]): string[] {
  const [a = "", b = ""] = [letters[0], letters[index + 1]];
  const line = (what: string, { equal, reason }: { equal: boolean; reason: string | null }, place: string | undefined) =>
    `  ${a}, ${b}  ${what.padEnd("history".length)}  ${equal ? "equal" : (place ?? named(reason ?? "not equal", a, b))}`;
  const [states, losses, model] = [history[index], loss[index], final[index]];
  if (!model) return [];
  const placeOf = ({ tensor, row, component, ...values }: Weight) => `${tensor}, row ${groupDigits(row)}, component ${component}: ${both(values)}`;
  const place = model.first ? `differs first in ${placeOf(model.first)}` : undefined;
  if (!states || !losses) return [line("model", model, place)];
  const recorded = states.first;
  const weight = weights?.find((each) => each.a === states.a && each.b === states.b);
  return [
    line("history", states, recorded ? `differs first at ${recordPosition(recorded)}` : undefined),
    ...(weight ? [line("weights", weight, weight.first ? `differ first at step ${groupDigits(weight.first.step)}, ${placeOf(weight.first)}` : undefined)] : []),
    line("loss", losses, losses.first ? `differs first at step ${groupDigits(losses.first.step)}: ${losses.first.a} and ${losses.first.b}` : undefined),
    line("final", model, place),
  ];
}
