import { census } from "../../analysis/census.js";
import { readState } from "../../formats/read-state.js";
import { axis } from "../axes.js";
import type { Mark } from "../figure.js";
import { analysedSteps } from "../state-series.js";
import { seriesOf } from "../styled-series.js";
import { type Absent, defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

interface Ranks {
  readonly step: number;
  /** Descending. */
  readonly populations: readonly number[];
}

async function read(run: RunSource): Promise<readonly Ranks[] | Absent> {
  const history = await run.history();
  const analysis = await run.analysis();
  const C = analysis.timeline?.C ?? [];
  const steps = analysedSteps(analysis);
  const most = C.indexOf(C.reduce((highest, holes) => Math.max(highest, holes), 0));
  const states = [...new Set([0, Math.max(0, most), history.states - 1])];
  const ranks = states.map((state) => ({ step: steps[state] ?? state, populations: census(readState(history, state)).populations }));
  return ranks.some(({ populations }) => populations.length > 0)
    ? ranks.filter(({ populations }) => populations.length > 0)
    : { absent: "no state of it has a black hole" };
}

/** The populations of black holes by rank: at the start, when there were most, and at the end. */
export const rankCurve = defineRunFigure({
  name: "rank-curve",
  overlays: false,
  read,
  describe([run]) {
    const ranks = run?.data ?? [];
    const longest = ranks.reduce((most, { populations }) => Math.max(most, populations.length), 1);
    const marks = ranks.flatMap(({ populations }, series): Mark[] => {
      const x = populations.map((_, index) => index + 1);
      return [
        { mark: "line", series, x, y: populations, curve: "straight" },
        { mark: "dots", series, x, y: populations },
      ];
    });
    return {
      schema: "bh-bridge/figure@1",
      name: "rank-curve",
      title: "Populations of black holes by rank",
      caption: "Tokens in each black hole, the largest first: in the first state, in the one with the most black holes, and in the last.",
      sources: run ? [run.source] : [],
      series: ranks.map(({ step }, index) => seriesOf(`step ${step.toLocaleString("en")}`, index)),
      panels: [
        {
          title: "",
          x: axis("rank", null, {
            scale: longest > 10 ? "log" : "linear",
            domain: longest > 10 ? null : [0.5, longest + 0.5],
            ticks: longest > 10 ? null : wholeTicks(longest),
          }),
          y: axis("tokens", null, { scale: "log" }),
          equal: false,
          marks,
        },
      ],
      columns: 1,
    };
  },
});

function wholeTicks(last: number): { at: number; text: string }[] {
  return Array.from({ length: last }, (_, index) => ({ at: index + 1, text: String(index + 1) }));
}
