import { type Phase, phases } from "../../analysis/lifecycle/lifecycle.js";
import type { Mark, Panel, Series } from "../figure.js";
import { axis, overMoves, type StepSeries, seriesOf, stackedAreas, stepAxis } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis, tokenGroups } from "./run-figure.js";

/** The phases from the bottom of a stack to its top, in the colours of the figure `freezing`. */
const stack = [
  { phase: "frozen", level: 0, name: "frozen: does not move again" },
  { phase: "late", level: 1, name: "thermal (late): moves within one cell" },
  { phase: "midlife", level: 2, name: "midlife: moves beyond one cell" },
  { phase: "early", level: 3, name: "early: moves by more than √dims cells" },
] as const satisfies readonly { phase: Phase; level: number; name: string }[];

function levelSeries(name: string, level: number): Series {
  return { name, palette: "levels", color: level, dash: 0, marker: 0 };
}

interface Shares {
  readonly still: StepSeries;
  /** Shares of the tokens in each phase, from the bottom of the stack; without a lattice, frozen and not frozen. */
  readonly parts: readonly (readonly number[])[];
}

async function readShares(run: RunSource): Promise<Shares | Absent> {
  const analysis = await run.analysis();
  const { stillFraction = [], frozenFraction = [] } = analysis.motion ?? {};
  if (stillFraction.length === 0) return { absent: "it has taken no step yet" };
  const counts = analysis.lifecycle?.counts;
  const parts = counts
    ? stack.map(({ phase }) => counts[phase].map((tokens) => tokens / analysis.tokens))
    : [frozenFraction.map((share) => share ?? 0), frozenFraction.map((share) => 1 - (share ?? 0))];
  return { still: overMoves(analysis, stillFraction), parts };
}

/** Shares of the tokens in each phase of motion, and of those that are still in a step. */
export const shares = defineRunFigure({
  name: "shares",
  overlays: true,
  read: readShares,
  describe(runs) {
    const hasLattice = runs.some(({ data }) => data.parts.length === stack.length);
    const areas = hasLattice
      ? stack.map(({ name, level }) => levelSeries(name, level))
      : [levelSeries("frozen: does not move again", 0), levelSeries("moves again", 3)];
    const panels = runs.map(({ label, data: { still, parts } }): Panel => {
      const first = parts.length === areas.length ? 0 : -1;
      const placed = first === 0 ? stackedAreas(still.steps, parts) : [];
      const line: Mark = { mark: "line", series: areas.length, x: still.steps, y: still.values, curve: "straight" };
      return {
        title: runs.length > 1 ? label : "",
        x: stepAxis(),
        y: axis("share of the tokens", null, { domain: [0, 1] }),
        equal: false,
        marks: [...placed, line],
      };
    });
    return {
      title: "Still, frozen and thermal tokens",
      caption: `${hasLattice ? "Stacked shares of the tokens by their motion from a step on, in lattice cells per step. " : "Shares of the tokens from a step on. "}Frozen: no weight changes until the end. Still: no weight changes in this step, as in all frozen tokens.`,
      series: [...areas, seriesOf("still in this step", 0)],
      panels,
      columns: Math.min(2, runs.length),
    };
  },
});

/** Mean share of the training that the tokens of each group spend in each phase. */
type Durations = readonly { readonly name: string; readonly tokens: number; readonly shares: Readonly<Record<Phase, number>> }[];

async function readDurations(run: RunSource): Promise<Durations | Absent> {
  const found = await requestedAnalysis(run, "phases");
  if (isAbsent(found)) return found;
  const { early, midlife, late, frozen } = found.part;
  if (!(early && midlife && late && frozen)) return { absent: "it has too many tokens for per-token arrays" };
  const lengths = { early, midlife, late, frozen };
  const { names, ofRow } = await tokenGroups(run);
  return names.flatMap((name, group) => {
    const tokens = ofRow.reduce((sum, of) => sum + Number(of === group), 0);
    const shareOf = (phase: Phase) =>
      lengths[phase].reduce((sum, steps, row) => sum + (ofRow[row] === group ? steps : 0), 0) / tokens / (found.document.states - 1);
    const shares = Object.fromEntries(phases.map((phase) => [phase, shareOf(phase)])) as Record<Phase, number>;
    return tokens > 0 ? [{ name, tokens, shares }] : [];
  });
}

/** The phases in the order of a life. */
const life = [...stack].reverse();

/** Share of the training that tokens spend in each phase of their lifecycle. */
export const phaseDurations = defineRunFigure({
  name: "phases",
  overlays: false,
  read: readDurations,
  describe([run]) {
    const groups = run?.data ?? [];
    const names = groups.map(({ name, tokens }) => `${tokens.toLocaleString("en")} ${tokens === 1 ? name.slice(0, -1) : name}`);
    const before = (group: number, place: number) => life.slice(0, place).reduce((sum, { phase }) => sum + (groups[group]?.shares[phase] ?? 0), 0);
    const marks = life.map(({ phase }, place): Mark => {
      const from = groups.map((_, group) => before(group, place));
      const values = groups.map(({ shares: each }, group) => (from[group] ?? 0) + each[phase]);
      return { mark: "bars", series: place, names, values, from, notes: groups.map(({ shares: each }) => `${Math.round(100 * each[phase])} %`) };
    });
    return {
      title: "Durations of the phases",
      caption:
        "Mean share of the training that a token spends in each phase. A token is early until its last move of more than √dims lattice cells, in midlife until its last move beyond one cell, late until its last move, and frozen from then on.",
      series: life.map(({ name, level }) => levelSeries(name, level)),
      panels: [
        {
          title: "",
          x: axis("share of the training", null, { domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: `${100 * at} %` })) }),
          y: axis("", null, { scale: "category" }),
          equal: false,
          marks,
        },
      ],
      columns: 1,
    };
  },
});
