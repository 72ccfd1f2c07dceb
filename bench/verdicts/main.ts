import { parseArgs } from "node:util";
import { markdownTable } from "../../src/text/escaping.js";
import { sequentialTables } from "./sequential-tables.js";
import { type Shape, shapes } from "./shapes.js";
import { ofDifferences, ofLooks, ofSplits } from "./simulate.js";

/**
 * How often the verdict of an experiment is wrong, and how often it finds what is there, in simulated experiments whose truth is known: the tables of
 * docs/experiments.md. `--experiments` is the number for each entry; entries with 20 pairs, whose sign flips are drawn, take a quarter of it. `--sequential` is
 * the number for sequential rules; 0 leaves either out.
 */
const { values } = parseArgs({ options: { experiments: { type: "string", default: "4000" }, sequential: { type: "string", default: "100000" } } });
const experiments = Number(values.experiments);
const names = Object.keys(shapes) as Shape[];
const of = (pairs: number) => (pairs > 16 ? Math.ceil(experiments / 4) : experiments);
const shown = (percent: number) => percent.toFixed(1);
const started = performance.now();

function print(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`\n${title}\n\n${markdownTable(head, rows)}`);
}

/** The larger rate of effects at both ends of the margin: a skewed distribution treats them differently. */
function worstAtMargin(shape: Shape, pairs: number, margin: number, result: "positive" | "null"): string {
  return shown(Math.max(...[margin, -margin].map((effect) => ofDifferences(shape, pairs, of(pairs), effect, margin)[result])));
}

function printFixed(): void {
  const sizes = [6, 10, 20];
  print(
    "Positive without an effect, margin 0",
    ["differences", ...sizes.map((pairs) => `${pairs} pairs`)],
    names.map((shape) => [shape, ...sizes.map((pairs) => shown(ofDifferences(shape, pairs, of(pairs)).positive))]),
  );

  print(
    "Positive with an effect at the worse end of the margin",
    ["differences", "margin 0.5 sd, 6 pairs", "10 pairs", "margin 1 sd, 6 pairs", "10 pairs"],
    names.map((shape) => [shape, ...[0.5, 1].flatMap((margin) => [6, 10].map((pairs) => worstAtMargin(shape, pairs, margin, "positive")))]),
  );

  const effects = [0.5, 1, 1.5, 2];
  print(
    "Positive with an effect, normal differences, margin 0",
    ["effect", ...effects.map((effect) => `${effect} sd`)],
    [8, 12, 20].map((pairs) => [`${pairs} pairs`, ...effects.map((effect) => shown(ofDifferences("normal", pairs, of(pairs), effect).positive))]),
  );

  const margins = [1, 1.5, 2];
  print(
    "Null without an effect, normal differences",
    ["margin", ...margins.map((margin) => `${margin} sd`)],
    [8, 9, 12, 20].map((pairs) => [`${pairs} pairs`, ...margins.map((margin) => shown(ofDifferences("normal", pairs, of(pairs), 0, margin).null))]),
  );

  print(
    "Null with an effect at the worse end of a margin of 1 sd",
    ["differences", "9 pairs", "12 pairs"],
    names.map((shape) => [shape, ...[9, 12].map((pairs) => worstAtMargin(shape, pairs, 1, "null"))]),
  );

  const splitSizes = [3, 6, 9, 12];
  print(
    "Null, default rules, when the treatment splits at a rate and the control never does",
    ["rate", ...splitSizes.map((pairs) => `${pairs} pairs`)],
    [0.1, 0.3, 0.5].map((rate) => [String(rate), ...splitSizes.map((pairs) => shown(ofSplits(rate, pairs, of(pairs)).null))]),
  );

  const looks = ofLooks(6, 20, of(20)).positive;
  console.log(`\nPositive without an effect when judged after every pair from 6 to 20: ${shown(looks)} %`);
  console.log(`\nIn percent; ${experiments} experiments for each entry, ${of(20)} with 20 pairs.`);
}

if (experiments > 0) printFixed();
const sequential = Number(values.sequential);
if (sequential > 0) for (const { title, head, rows } of sequentialTables(sequential)) print(title, head, rows);
console.log(`\n${((performance.now() - started) / 60_000).toFixed(1)} min.`);
