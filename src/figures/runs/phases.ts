import { cumulativeShare } from "../../analysis/histogram.js";
import { type Phase, phases } from "../../analysis/lifecycle/lifecycle.js";
import type { Panel } from "../figure.js";
import { axis, seriesOf } from "../panels.js";
import { tokenGroups } from "../tokens.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

const titles = {
  early: "Early: by more than √dims cells",
  midlife: "Midlife: beyond one cell",
  late: "Late: within one cell",
  frozen: "Frozen",
} as const;

interface Durations {
  /** Number of steps of the training. */
  readonly steps: number;
  /** Steps that each token of a group spends in each phase. */
  readonly groups: readonly { readonly name: string; readonly lengths: Readonly<Record<Phase, readonly number[]>> }[];
}

async function read(run: RunSource): Promise<Durations | Absent> {
  const found = await requestedAnalysis(run, "phases");
  if (isAbsent(found)) return found;
  const { document, part } = found;
  const { early, midlife, late, frozen } = part;
  if (!(early && midlife && late && frozen)) return { absent: "it has too many tokens for per-token arrays" };
  const { names, ofRow } = await tokenGroups(run);
  const groups = names.flatMap((name, group) => {
    const of = (lengths: readonly number[]) => lengths.filter((_, row) => ofRow[row] === group);
    const lengths = { early: of(early), midlife: of(midlife), late: of(late), frozen: of(frozen) };
    return lengths.early.length > 0 ? [{ name, lengths }] : [];
  });
  return { steps: document.states - 1, groups };
}

/** Steps that tokens spend in each phase of their lifecycle. */
export const phaseDurations = defineRunFigure({
  name: "phases",
  overlays: false,
  read,
  describe([run]) {
    const { steps = 1, groups = [] } = run?.data ?? {};
    return {
      title: "Durations of the phases",
      caption:
        "Share of the tokens that spend at most this number of steps in a phase. A token is early until its last move of more than √dims lattice cells, in midlife until its last move beyond one cell, late until its last move, and frozen from then on.",
      series: groups.map(({ name }, index) => seriesOf(groups.length > 1 ? name : "", index)),
      panels: phases.map(
        (phase): Panel => ({
          title: titles[phase],
          x: axis("steps spent in the phase", null, { domain: [0, steps] }),
          y: axis("share of the tokens", null, { domain: [0, 1] }),
          equal: false,
          marks: groups.map(({ lengths }, series) => ({ mark: "line", series, ...cumulativeShare(lengths[phase], [0, steps]), curve: "step" })),
        }),
      ),
      columns: 2,
    };
  },
});
