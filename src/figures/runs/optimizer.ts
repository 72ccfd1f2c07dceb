import { forEachRow } from "../../analysis/for-each-row.js";
import { runHere } from "../../analysis/scan/run-in-parts.js";
import { spreadStates } from "../../analysis/spread-states.js";
import { BhBridgeError } from "../../errors.js";
import type { History } from "../../formats/history.js";
import { readState } from "../../formats/read-state.js";
import { stepOfState } from "../../formats/state-of-step.js";
import { axis } from "../axes.js";
import { linePanels, type QuantitySeries } from "../line-panels.js";
import type { StepSeries } from "../state-series.js";
import { type TokenGroups, tokenGroups } from "../token-groups.js";
import { type Absent, defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

const mostStates = 1000;

const tensors = [
  { tensor: "wte.grad", name: "gradient", title: "Gradient", label: "‖gradient‖₂", squareRoot: false },
  { tensor: "wte.exp_avg", name: "first moment", title: "First Adam moment", label: "‖m‖₂", squareRoot: false },
  { tensor: "wte.exp_avg_sq", name: "root of the second moment", title: "Root of the second Adam moment", label: "‖√v‖₂", squareRoot: true },
] as const;

async function read(run: RunSource): Promise<QuantitySeries | Absent> {
  const groups = await tokenGroups(run);
  const found: Record<string, StepSeries> = {};
  for (const { tensor, name, squareRoot } of tensors) {
    const history = await recorded(run, tensor);
    if (!history) continue;
    const states = spreadStates(history.states, mostStates);
    const series = await runHere(meanLengths(history, states, groups, squareRoot), states.length, { signal: run.scan.signal });
    for (const [group, values] of series.entries()) {
      if (groups.ofRow.includes(group)) found[`${name}, ${groups.names[group]}`] = { steps: states.map((state) => stepOfState(history, state)), values };
    }
  }
  if (Object.keys(found).length > 0) return found;
  return { absent: 'it recorded neither gradient nor moments: set record.tensors, or add them with "bh-bridge rerecord"' };
}

async function recorded(run: RunSource, tensor: string): Promise<History | undefined> {
  try {
    const history = await run.history(tensor);
    return history.tokens === (await run.history()).tokens ? history : undefined;
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "TENSOR_NOT_FOUND") return undefined;
    throw error;
  }
}

/** The mean over each group's rows of their L2 norms, in each of the states; null where a group has no finite one. */
function* meanLengths(history: History, states: readonly number[], { names, ofRow }: TokenGroups, squareRoot: boolean): Generator<number, (number | null)[][]> {
  const means = names.map((): (number | null)[] => []);
  for (const [index, state] of states.entries()) {
    const sums = names.map(() => ({ sum: 0, rows: 0 }));
    forEachRow(readState(history, state), (values, row) => {
      const group = sums[ofRow[row] ?? 0];
      if (!group) return;
      group.sum += Math.sqrt(values.reduce((sum, value) => sum + (squareRoot ? value : value * value), 0));
      group.rows++;
    });
    for (const [group, { sum, rows }] of sums.entries()) means[group]?.push(rows > 0 && Number.isFinite(sum) ? sum / rows : null);
    yield index + 1;
  }
  return means;
}

/** What the optimizer is given and keeps for the embedding, where the run recorded it. */
export const optimizer = defineRunFigure({
  name: "optimizer",
  overlays: true,
  read,
  describe(runs) {
    const groups = ["live tokens", "dead tokens"];
    return {
      schema: "bh-bridge/figure@1",
      name: "optimizer",
      title: "Gradient and Adam moments",
      caption: `L2 norms of the rows of each tensor, mean over the live tokens and over the dead ones, which the text never has. At most ${mostStates} states, evenly spread. Zeros are gaps.`,
      ...linePanels(
        tensors.map(({ name, title, label }) => ({
          title,
          y: axis(label, null, { scale: "log" }),
          quantities: Object.fromEntries(groups.map((group) => [group, `${name}, ${group}`])),
        })),
        runs,
      ),
    };
  },
});
