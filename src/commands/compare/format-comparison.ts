import { basename } from "node:path";
import type { Comparison } from "../../compare/compare.js";
import type { Difference } from "../../compare/differences.js";
import { inlineYaml } from "../../config/inline-yaml.js";
import type { TextColors } from "../../config/text-colors.js";
import { groupDigits } from "../../text/group-digits.js";
import { printable } from "../../text/printable.js";
import { wrap } from "../../text/wrap.js";
import { table } from "../terminal/table.js";
import { divergenceLines, named } from "./format-divergence.js";
import { both, placeOfRecord } from "./place-of-record.js";

/** A longer value is cut in a table; --json has it whole. */
const longestValue = 24;
const indent = 2;

const sectionTitles: Record<keyof Comparison["differences"], string> = { config: "Configuration", data: "Data", environment: "Environment", code: "Code" };

/** A comparison for people: the runs by letters, what they were made from, what came out, and the first bit that differs. */
export function formatComparison(comparison: Comparison, color: TextColors, width?: number): string {
  const { runs, differences } = comparison;
  const letters = runs.map((_, index) => letterOf(index));
  const title = (text: string) => `\n${color.bold(text)}`;
  const sections = Object.entries(sectionTitles) as [keyof typeof sectionTitles, string][];
  const same = sections.filter(([section]) => differences[section].length === 0).map(([, name]) => name.toLowerCase());
  const lines = [
    ...runs.map((run, index) => `${letters[index]}  ${printable(basename(run))}`),
    ...sections.flatMap(([section, name]) => (differences[section].length === 0 ? [] : [title(name), differenceTable(differences[section], letters, width)])),
    ...(same.length === 0 ? [] : ["", `No difference in ${same.join(", ")}`]),
    title("Results"),
    resultTable(comparison, letters, width),
    title("Bit for bit"),
    ...comparison.history.flatMap((_, index) => pairLines(comparison, index, letters)),
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

/** With each further run, how far it is from the first. */
function resultTable({ results }: Comparison, letters: readonly string[], width: number | undefined): string {
  const head = ["", ...letters.flatMap((letter, index) => (index === 0 ? [letter] : [letter, `${letter} − ${letters[0]}`]))];
  const rows = results.map(({ path, values, difference, relative }) => [
    path,
    ...values.flatMap((value, index) => (index === 0 ? [shown(value)] : [shown(value), distance(difference[index] ?? null, relative[index] ?? null)])),
  ]);
  return table(head, rows, { align: ["left"], width, indent });
}

function shown(value: number | string | boolean | null): string {
  if (value === null) return "–";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? groupDigits(value) : value.toPrecision(6);
}

/** `+4 (400 %)`: three digits tell how large it is. */
function distance(difference: number | null, relative: number | null): string {
  if (difference === null) return "";
  if (difference === 0) return "0";
  const amount = `${difference > 0 ? "+" : "−"}${digits(Math.abs(difference))}`;
  return relative === null ? amount : `${amount} (${digits(Math.abs(100 * relative))} %)`;
}

function digits(value: number): string {
  return Number.isInteger(value) || value >= 100 ? groupDigits(Math.round(value)) : value.toPrecision(3);
}

/** Of each pair that was trained again, where it parts. */
function deepLines({ history, deep = [] }: Comparison, letters: readonly string[]): string[] {
  if (deep.length === 0) return ["  Nothing: they are equal"];
  return deep.flatMap((divergence) => {
    const index = history.findIndex(({ a, b }) => a === divergence.a && b === divergence.b);
    const names = [letters[0] ?? "", letters[index + 1] ?? ""] as const;
    return divergenceLines(divergence, names).map((line) => `  ${names.join(", ")}  ${line}`);
  });
}

function pairLines({ history, loss, final }: Comparison, index: number, letters: readonly string[]): string[] {
  const [a = "", b = ""] = [letters[0], letters[index + 1]];
  const line = (what: string, { equal, reason }: { equal: boolean; reason: string | null }, place: string | undefined) =>
    `  ${a}, ${b}  ${what.padEnd("history".length)}  ${equal ? "equal" : (place ?? named(reason ?? "not equal", a, b))}`;
  const [states, losses, model] = [history[index], loss[index], final[index]];
  if (!states || !losses || !model) return [];
  const recorded = states.first;
  const weight = model.first;
  return [
    line("history", states, recorded ? `differs first at ${placeOfRecord(recorded)}` : undefined),
    line("loss", losses, losses.first ? `differs first at step ${groupDigits(losses.first.step)}: ${losses.first.a} and ${losses.first.b}` : undefined),
    line(
      "final",
      model,
      weight ? `differs first in ${weight.tensor}, row ${groupDigits(weight.row)}, component ${weight.component}: ${both(weight)}` : undefined,
    ),
  ];
}
