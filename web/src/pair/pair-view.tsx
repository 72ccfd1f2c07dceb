import { useMemo, useState } from "preact/hooks";
import { differenceOf } from "../../../src/figures/panels.js";
import { Shared, type StepCursor, type StepRange } from "../../shared/step-cursor.js";
import { useAddress } from "../address.js";
import { useChanges } from "../changes.js";
import { Chart } from "../chart/chart.js";
import type { ChartLine } from "../chart/chart-plot.js";
import type { BasisDocument, HistoryDocument, OverlayDocument, ShelfDocument } from "../documents.js";
import { useNamedRuns } from "../run/overlay-view.js";
import { numberOf, rangeOf, rowOf, useAddressOf } from "../run/run-view.js";
import { useDocument } from "../server.js";
import { lineColour, lineDash, useTheme } from "../theme.js";
import { useTitle } from "../title.js";
import { PairReplay } from "./pair-replay.js";

/** Points of a line that the server returns unreduced. */
const wholeLine = 20_000;

/** Two runs together: one transport, one basis, and the difference of P. */
export function PairView({ first, second }: { first: string; second: string }) {
  const { query } = useAddress();
  const [turn, setTurn] = useState(0);
  const cursor = useMemo<StepCursor>(() => new Shared(numberOf(query.get("step"))), []);
  const range = useMemo<StepRange>(() => new Shared(rangeOf(query.get("zoom"))), []);
  useAddressOf(cursor, range);
  const { document: shelf, problem } = useDocument<ShelfDocument>("/api/runs", turn);
  const { names } = useNamedRuns(shelf, `${first},${second}`);
  const ours = useDocument<HistoryDocument>(`/api/runs/${first}/history`, turn);
  const theirs = useDocument<HistoryDocument>(`/api/runs/${second}/history`, turn);
  const areThere = ours.document !== undefined && theirs.document !== undefined;
  const basis = useDocument<BasisDocument>(areThere ? `/api/runs/${first}/basis?beside=${second}` : null);
  useChanges((change) => {
    if (change.kind === "everything" || (change.kind === "run" && [first, second].includes(change.run.id))) setTurn((before) => before + 1);
  });
  const refusal = [problem, ours.problem, theirs.problem, basis.problem].find((each) => each !== undefined);
  const [nameA = first, nameB = second] = names;
  useTitle(`${nameA} and ${nameB}`);
  return (
    <main>
      <header class="head">
        <h1>
          {nameA} and {nameB}
        </h1>
      </header>
      {refusal !== undefined && (
        <p class="problem" role="alert">
          {refusal}
        </p>
      )}
      {ours.document && theirs.document && basis.document ? (
        <PairReplay
          runs={[
            { id: first, name: nameA, history: ours.document },
            { id: second, name: nameB, history: theirs.document },
          ]}
          basis={basis.document}
          cursor={cursor}
          followed={rowOf(query.get("token"), ours.document)}
        />
      ) : (
        refusal === undefined && <p class="waiting">Reading the runs …</p>
      )}
      <PairCharts {...{ first, second, turn, cursor, range }} names={[nameA, nameB]} />
    </main>
  );
}

interface PairChartsProps {
  first: string;
  second: string;
  names: readonly [string, string];
  turn: number;
  cursor: StepCursor;
  range: StepRange;
}

/** P of both runs, and the difference, at the steps that both have recorded. */
function PairCharts({ first, second, names: [nameA, nameB], turn, cursor, range }: PairChartsProps) {
  const { isDark } = useTheme();
  const { document: overlay } = useDocument<OverlayDocument>(`/api/overlay?name=P&points=${wholeLine}&runs=${first},${second}`, turn);
  const charts = useMemo(() => {
    const [ours, theirs] = [first, second].map((id) => overlay?.lines.find((line) => line.id === id));
    if (!ours || !theirs) return undefined;
    const { x, first: ofFirst, second: ofSecond, difference } = differenceOf(ours, theirs);
    const line = (index: number, label: string, y: number[]): ChartLine => ({
      label,
      x,
      y,
      isStepped: true,
      colour: lineColour(index, isDark),
      dash: lineDash(index),
    });
    return { both: [line(0, `A · ${nameA}`, ofFirst), line(1, `B · ${nameB}`, ofSecond)], difference: [line(2, "A − B", difference)] };
  }, [overlay, first, second, nameA, nameB, isDark]);
  if (!charts) return null;
  const shared = { cursor, range, height: 180 };
  return (
    <section aria-label="Charts">
      <h2 class="visually-hidden">Charts</h2>
      <div class="charts">
        <Chart title="Difference of P" lines={charts.difference} fileName="difference-of-P" {...shared} note="At the steps that both runs have recorded" />
        <Chart title="P, tokens in black holes" lines={charts.both} fileName="P-of-both" {...shared} />
      </div>
    </section>
  );
}
