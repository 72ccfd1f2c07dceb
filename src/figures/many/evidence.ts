import type { ExperimentDocument } from "../../sweep/experiment/experiment-summary.js";
import { type SequentialArm, type SequentialEvidence, shownE } from "../../sweep/experiment/sequential.js";
import { printable } from "../../text/escaping.js";
import { count } from "../../text/format.js";
import type { Axis, Figure, Mark, Panel, Series, Source } from "../figure.js";
import { axis, seriesOf } from "../panels.js";

/** `corrected`: that the measure differs. `eNull`: that it does not. */
const curves = ["corrected", "eNull"] as const;
type Curve = (typeof curves)[number];

/** Smaller e values are drawn at the edge: evidence that is that weak has no meaning of its own. */
const smallestShown = 0.1;
/** Pairs that are always on the axis. */
const fewestPairs = 10;
/** Length of the axis, in judged pairs: the decision has its label at its right. */
const room = 1.35;

/**
 * The evidence of a sequential experiment as it grew: a panel per arm with a curve of e over the pairs for every deciding measure, the threshold and the
 * decision. Undefined for an experiment with fixed seeds, and before the first complete pair.
 */
export function evidenceFigure(document: ExperimentDocument, sources: readonly Source[]): Figure | undefined {
  const { sequential: evidence } = document;
  const arms = evidence?.arms.filter(({ pairs }) => pairs > 0) ?? [];
  const [first, ...others] = arms;
  if (evidence === undefined || first === undefined) return undefined;
  const { maximum, threshold } = evidence;
  const control = document.control[0]?.arm ?? "control";
  const measures = first.measures.map(({ measure }) => measure);
  const isAlone = others.length === 0;
  const findings = arms.map((arm) => `${printable(arm.arm)}${isAlone ? ` against ${control}` : ""}: ${finding(arm, maximum)}`);
  const name = (measure: string) => ({ corrected: `${measure} differs`, eNull: `${measure} does not differ` });
  return {
    schema: "bh-bridge/figure@1",
    name: "evidence",
    title: findings.join(". "),
    caption: `Evidence after each pair of runs with the same seed, as e values: 1 says nothing, and an arm is decided at ${shownE(threshold)}. One measure that differs is enough; for null, no measure may differ. Large dots mark the decision; e values below ${smallestShown} are drawn at the lower edge.`,
    sources,
    series: measures.flatMap((measure, at) =>
      curves.map((curve, ofCurve): Series => ({ ...seriesOf(name(measure)[curve], 2 * at + ofCurve), color: at + 1, dash: 2 * at + ofCurve })),
    ),
    panels: arms.map((arm, at) => panel(arm, isAlone ? "" : (findings[at] ?? ""), evidence)),
    columns: Math.min(2, arms.length),
  };
}

/** `positive after 8 of 40 pairs`. */
function finding({ pairs, state, result }: SequentialArm, maximum: number): string {
  const after = `after ${pairs} of ${count(maximum, "pair")}`;
  const found = { decided: `${result} ${after}`, undecided: `undecided ${after}`, hopeless: `inconclusive, stopped ${after}` };
  return state === "at the maximum" ? `inconclusive after ${count(maximum, "pair")}` : found[state];
}

function panel(arm: SequentialArm, title: string, { arms, threshold }: SequentialEvidence): Panel {
  const pairs = Math.max(...arms.map((each) => each.pairs));
  const shown = arm.measures.flatMap((measure, at) =>
    curves.filter((curve) => isShown(arm, measure[curve], curve)).map((curve) => ({ measure, curve, series: curves.length * at + curves.indexOf(curve) })),
  );
  const highest = Math.max(threshold, ...shown.flatMap(({ measure, curve }) => measure[curve]));
  const last = Math.max(fewestPairs, Math.ceil(room * pairs));
  return {
    title,
    x: axis("complete pairs", null, { domain: [0, last], ticks: ticksOf(last) }),
    y: axis("e value", null, { scale: "log", domain: [smallestShown, 2 * highest] }),
    equal: false,
    height: 200,
    marks: [
      { mark: "rule", axis: "y", at: threshold, text: `decided at ${shownE(threshold)}` },
      { mark: "rule", axis: "y", at: 1, text: "" },
      ...shown.map(({ measure, curve, series }): Mark => {
        const values = measure[curve];
        return { mark: "line", series, x: [0, ...values.map((_, at) => at + 1)], y: [1, ...values.map(drawnValue)], curve: "straight" };
      }),
      ...decisionMarks(arm, shown),
    ],
  };
}

/** A positive arm needs no evidence of equality, a null arm none of a difference; without any evidence of equality, that of a difference is enough. */
function isShown({ result }: SequentialArm, values: readonly number[], curve: Curve): boolean {
  if (result === "positive" || result === "null") return curve === (result === "null" ? "eNull" : "corrected");
  return curve === "corrected" || values.some((e) => e > 1);
}

function drawnValue(e: number): number | null {
  return e > 0 ? Math.max(e, smallestShown) : null;
}

interface ShownCurve {
  readonly measure: SequentialArm["measures"][number];
  readonly curve: Curve;
  readonly series: number;
}

/** A large dot at the end of each curve that decided; the lowest one, which came last, has the label. */
function decisionMarks({ arm, decidedAt, result }: SequentialArm, shown: readonly ShownCurve[]): Mark[] {
  if (decidedAt === null) return [];
  const ends = shown.flatMap(({ measure: { measure, outcome, ...values }, curve, series }) => {
    const e = values[curve].at(-1) ?? 0;
    return outcome === (curve === "corrected" ? "differs" : "equal") ? [{ e, series, measure }] : [];
  });
  const lowest = Math.min(...ends.map(({ e }) => e));
  return ends.map(({ e, series, measure }): Mark => {
    const name = `${arm}, ${measure}: e = ${shownE(e)} after ${count(decidedAt, "pair")}`;
    return { mark: "dots", series, x: [decidedAt], y: [drawnValue(e) ?? smallestShown], radius: [6], names: [name], labels: [e === lowest ? `${result}` : ""] };
  });
}

/** Whole numbers of pairs, about eight. */
function ticksOf(last: number): Axis["ticks"] {
  const every = [1, 2, 5, 10, 20, 50].find((step) => last / step <= 8) ?? 100;
  return Array.from({ length: Math.floor(last / every) + 1 }, (_, at) => ({ at: at * every, text: String(at * every) }));
}
