import { inlineYaml } from "../../config/annotated-yaml.js";
import { readRunManifest } from "../../runs/run-manifest.js";
import { moments } from "../../sweep/statistics/moments.js";
import type { SweepDocument, SweepTrial } from "../../sweep/sweep-document.js";
import { fieldName, trialNames, valueText } from "../../text/names.js";
import type { Axis, Figure, Mark, Source } from "../figure.js";
import { axis, countAxis, seriesOf } from "../panels.js";

type Result = NonNullable<SweepTrial["result"]>;
type EndedTrial = SweepTrial & { readonly result: Result };

const measures: readonly { readonly title: string; readonly y: Axis; readonly of: (result: Result) => number | null }[] = [
  { title: "Tokens in black holes (P)", y: countAxis("tokens"), of: ({ census }) => census.P },
  { title: "Black holes (C)", y: countAxis("black holes"), of: ({ census }) => census.C },
  { title: "Distinct rows", y: countAxis("rows"), of: ({ census }) => census.unique },
  { title: "Displacement of the centroid", y: axis("distance", "weights", { zero: true }), of: ({ displacement }) => displacement.float64 },
  { title: "Loss at the last log", y: axis("loss", "nats per token"), of: ({ finalLoss }) => finalLoss },
];

/** Ratio of values from which an axis is logarithmic. */
const decades = 10;

/** Measures over each swept field: every trial, and the mean over seeds. */
export function sweptFields(trials: readonly SweepTrial[], sources: readonly Source[]): Figure[] {
  const ended = trials.filter((trial): trial is EndedTrial => trial.result !== null);
  const fields = [...new Set(ended.flatMap(({ set }) => Object.keys(set)))].filter(
    (path) => path !== "seed" && new Set(ended.map((trial) => keyOf(trial, path))).size > 1,
  );
  return fields.map((field) => sweptField(field, fields, ended, sources));
}

function keyOf({ set }: SweepTrial, path: string): string {
  return inlineYaml(set[path] ?? null);
}

/** The axis of a field, and the position of a trial on it: numbers by value, others by order. */
function placesOf(field: string, trials: readonly EndedTrial[]): { x: Axis; place: (trial: EndedTrial) => number } {
  const values = trials.map(({ set }) => set[field]);
  const numbers = values.filter((value) => typeof value === "number");
  if (numbers.length === values.length) {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const isLog = low > 0 && high / low >= decades;
    const domain: [number, number] = isLog ? [low / 1.5, high * 1.5] : [low - 0.06 * (high - low), high + 0.06 * (high - low)];
    const tried = [...new Set(numbers)].sort((a, b) => a - b);
    const ticks = tried.map((at) => ({ at, text: valueText(at) }));
    return { x: axis(field, null, { scale: isLog ? "log" : "linear", domain, ticks }), place: ({ set }) => Number(set[field]) };
  }
  const names = [...new Set(trials.map((trial) => keyOf(trial, field)))];
  const ticks = names.map((text, at) => ({ at, text }));
  return { x: axis(field, null, { domain: [-0.5, names.length - 0.5], ticks }), place: (trial) => names.indexOf(keyOf(trial, field)) };
}

function sweptField(field: string, fields: readonly string[], trials: readonly EndedTrial[], sources: readonly Source[]): Figure {
  const { x, place } = placesOf(field, trials);
  const others = fields.filter((path) => path !== field);
  const groupOf = (trial: EndedTrial) => others.map((path) => `${fieldName(path, fields)} ${keyOf(trial, path)}`).join(" · ");
  const texts = trialNames(trials.map(({ set }) => set));
  const names = new Map(trials.map((trial, at) => [trial, texts[at]]));
  const groups = [...new Set(trials.map(groupOf))];
  const marksOf = (of: (result: Result) => number | null): Mark[] =>
    groups.flatMap((group, series) => {
      const own = trials
        .filter((trial) => groupOf(trial) === group)
        .flatMap((trial) => {
          const value = of(trial.result);
          return value === null ? [] : [{ at: place(trial), value, name: `${names.get(trial)}: ${value}` }];
        });
      const at = [...new Set(own.map((each) => each.at))].sort((a, b) => a - b);
      const mean = at.map((each) => moments(own.filter((other) => other.at === each).map(({ value }) => value)).mean);
      if (own.length === 0) return [];
      return [
        { mark: "line", series, x: at, y: mean, curve: "straight" },
        { mark: "dots", series, x: own.map((each) => each.at), y: own.map(({ value }) => value), names: own.map(({ name }) => name) },
      ];
    });
  const shown = measures.filter(({ of }) => trials.some(({ result }) => of(result) !== null));
  return {
    schema: "bh-bridge/figure@1",
    name: `sweep-${field.replaceAll(/[^\w.-]/g, "-")}`,
    title: `Measures over ${field}`,
    caption: `Measures at the end of each trial. Dots are trials, lines are means over seeds; ${trials.length} trials have ended.`,
    sources,
    series: groups.map((group, index) => seriesOf(group, index)),
    panels: shown.map(({ title, y, of }) => ({ title, x, y, equal: false, marks: marksOf(of) })),
    columns: 2,
  };
}

/** The figures of a sweep: measures over each swept field. @throws {BhBridgeError} errors of reading a run. */
export function sweepFigures({ trials }: SweepDocument): Figure[] {
  const sources = trials.flatMap(({ run, result }) => {
    if (run === null || result === null) return [];
    const { name, config_hash: hash } = readRunManifest(run);
    return [{ name, hash }];
  });
  return sweptFields(trials, sources);
}
