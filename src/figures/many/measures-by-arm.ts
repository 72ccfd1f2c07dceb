import type { ExperimentDocument } from "../../sweep/experiment/experiment-document.js";
import { type FigureName, parseMeasure, type UsualMeasure } from "../../sweep/experiment/measures.js";
import { figure as shown } from "../../text/figure.js";
import { axis } from "../axes.js";
import type { Axis, Figure, Mark, Panel, Source } from "../figure.js";
import { seriesOf } from "../styled-series.js";

const most = 6;
const wanted: readonly UsualMeasure[] = ["displacement", "finalLoss", "P", "unique", "stepsToFreeze", "deadC", "deadUnique", "C", "evalLoss"];

/** The measures of an experiment, arm by arm: every seed, the pairs of seeds, and the means. */
export function measuresByArm(document: ExperimentDocument, sources: readonly Source[]): Figure {
  const control = document.control[0]?.arm ?? "control";
  const treatments = [...new Set(document.measures.map(({ arm }) => arm))];
  const arms = [control, ...treatments];
  const names = [...new Set([...document.measures.filter(({ decides }) => decides).map(({ measure }) => measure), ...wanted])];
  const told = names
    .filter((name) => name !== "score" && document.measures.some(({ measure, control: { n }, treatment }) => measure === name && n + treatment.n > 0))
    .slice(0, most);
  const n = (arm: string) => Math.max(0, ...document.measures.map((each) => (each.arm === arm ? each.treatment.n : arm === control ? each.control.n : 0)));
  return {
    schema: "bh-bridge/figure@1",
    name: "measures",
    title: "Measures by arm",
    caption: `Each small dot is a seed, a line joins the runs of one seed, and a large dot is the mean. Below each panel: mean difference from ${control}, and its two-sided p.`,
    sources,
    series: arms.map((arm, index) => seriesOf(`${arm} (n = ${n(arm)})`, index)),
    panels: told.map((measure) => panelOf(document, measure, arms)),
    columns: 3,
  };
}

function panelOf(document: ExperimentDocument, measure: string, arms: readonly string[]): Panel {
  const comparisons = document.measures.filter((each) => each.measure === measure);
  const values = arms.map(
    (arm, index) => (index === 0 ? comparisons[0]?.control.values : comparisons.find((each) => each.arm === arm)?.treatment.values) ?? [],
  );
  const means = arms.map((arm, index) => (index === 0 ? comparisons[0]?.control.mean : comparisons.find((each) => each.arm === arm)?.treatment.mean) ?? null);
  const links = values
    .slice(1)
    .flatMap((own, index) =>
      own.flatMap((value, seed) => (value === null || values[0]?.[seed] == null ? [] : [{ from: values[0][seed], to: value, at: index + 1 }])),
    );
  const marks: Mark[] = [
    { mark: "links", series: 0, x1: links.map(() => 0), y1: links.map(({ from }) => from), x2: links.map(({ at }) => at), y2: links.map(({ to }) => to) },
    ...values.map((own, series): Mark => {
      const known = own.filter((value) => value !== null);
      return {
        mark: "dots",
        series,
        x: known.map(() => series),
        y: known,
        names: own.flatMap((value, seed) => (value === null ? [] : [`seed ${document.seeds[seed]}: ${value}`])),
      };
    }),
    ...means.flatMap((mean, series): Mark[] =>
      mean === null ? [] : [{ mark: "dots", series, x: [series + 0.12], y: [mean], radius: [6], names: [`mean ${mean}`] }],
    ),
  ];
  const [first] = comparisons;
  const difference =
    first && comparisons.length === 1 && first.difference.mean !== null
      ? `difference ${first.difference.mean > 0 ? "+" : ""}${shown(first.difference.mean)}, p ${shown(first.p)}`
      : "";
  return {
    title: measure,
    x: axis(difference, null, { domain: [-0.5, arms.length - 0.5], ticks: arms.map((arm, at) => ({ at, text: arm })) }),
    y: valueAxis(measure),
    equal: false,
    marks,
  };
}

const counted = { C: "black holes", P: "tokens", unique: "rows" } as const;

/** What a measure counts, or in what it is measured. */
function valueAxis(name: string): Axis {
  const measure = parseMeasure(name);
  if (measure.from === "census") return axis(counted[measure.count]);
  if (measure.from !== "run") return axis("value");
  const axes: Readonly<Record<FigureName, Axis>> = {
    displacement: axis("distance", "weights"),
    finalLoss: axis("loss", "nats per token"),
    evalLoss: axis("loss", "nats per token"),
    stepsToFreeze: axis("steps"),
  };
  return axes[measure.figure];
}
