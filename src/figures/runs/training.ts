import { forEachRow } from "../../analysis/elements.js";
import { runHere } from "../../analysis/scan/run-in-parts.js";
import { spreadStates } from "../../analysis/series.js";
import { type History, readState, stepOfState, stepsOf } from "../../formats/history.js";
import { recordedParts } from "../../runs/recorded-run.js";
import { axis, linePanels, type StepSeries, smoothingText, trainingLabels } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource, type TokenGroup, type TokenGroups, tokenGroupNames, tokenGroups } from "./run-figure.js";

interface Losses {
  readonly training: StepSeries;
  readonly heldOut?: StepSeries;
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** The losses of a run by step. A resumed run repeats some steps, and the later value counts. */
async function readLosses(run: RunSource): Promise<Losses | Absent> {
  const taken = new Map<number, number | null>();
  const evaluated = new Map<number, number | null>();
  for (const event of run.events()) {
    if (event.type === "step_end") taken.set(event.global_step, finite(event.loss));
    if (event.type === "evaluate") evaluated.set(event.global_step, finite(event.metrics["eval_loss"]));
  }
  if (taken.size === 0) return { absent: "it has taken no step yet" };
  const series = (values: ReadonlyMap<number, number | null>) => ({ steps: [...values.keys()], values: [...values.values()] });
  return { training: series(taken), ...(evaluated.size > 0 && { heldOut: series(evaluated) }) };
}

/** The training loss of every step, and the loss on held-out text if there is one. */
export const loss = defineRunFigure({
  name: "loss",
  overlays: true,
  read: readLosses,
  describe(runs) {
    const hasEval = runs.some(({ data }) => data.heldOut !== undefined);
    return {
      title: "Loss",
      caption: `Mean cross-entropy of each step's batch${hasEval ? ", and of the held-out text" : ""}.${smoothingText(runs.map(({ data }) => data.training.steps.length))}`,
      ...linePanels(
        [
          {
            title: "",
            smooth: true,
            y: axis("loss", "nats per token"),
            lines: { [trainingLabels.loss]: ({ training }) => training, [trainingLabels["held-out loss"]]: ({ heldOut }) => heldOut },
          },
        ],
        runs,
      ),
    };
  },
});

const mostStates = 1000;

const tensors = [
  { tensor: "wte.grad", name: "gradient", title: "Gradient", label: "‖gradient‖₂", squareRoot: false },
  { tensor: "wte.exp_avg", name: "first moment", title: "First Adam moment", label: "‖m‖₂", squareRoot: false },
  { tensor: "wte.exp_avg_sq", name: "root of the second moment", title: "Root of the second Adam moment", label: "‖√v‖₂", squareRoot: true },
] as const;

/** The mean length of a tensor's rows over the training, for each group of tokens. */
type GroupSeries = { readonly [Group in TokenGroup]?: StepSeries };

interface Recorded {
  /** By the names of tensors. */
  readonly series: { readonly [Tensor in (typeof tensors)[number]["tensor"]]?: GroupSeries };
  /** Steps of tensors that were recorded later, in words. */
  readonly ranges: readonly string[];
}

async function readMoments(run: RunSource): Promise<Recorded | Absent> {
  const series: { [Tensor in (typeof tensors)[number]["tensor"]]?: GroupSeries } = {};
  const ranges: string[] = [];
  for (const { tensor, name, squareRoot } of tensors) {
    const parts = recordedParts(run.directory, tensor);
    for (const [at, part] of parts.entries()) {
      const history = await run.history(part);
      const found = await groupSeries(run, history, squareRoot);
      for (const group of tokenGroupNames) {
        const after = found[group];
        if (after) series[tensor] = { ...series[tensor], [group]: joined(series[tensor]?.[group], after, stepsOf(await run.history())) };
      }
      if (part !== tensor)
        ranges.push(`${at === 0 ? `${name} of the steps` : "and"} ${stepOfState(history, 0)} to ${stepOfState(history, history.states - 1)}`);
    }
  }
  if (Object.keys(series).length > 0) return { series, ranges };
  return { absent: 'it recorded neither gradient nor moments: set record.tensors, or add them with "bh-bridge rerecord"' };
}

/** The lengths of a tensor's rows, by the group of their tokens. */
async function groupSeries(run: RunSource, history: History, squareRoot: boolean): Promise<GroupSeries> {
  const groups = await tokenGroups(run, history);
  const states = spreadStates(history.states, mostStates);
  const lengths = await runHere(meanLengths(history, states, groups, squareRoot), states.length, { signal: run.scan.signal });
  const steps = states.map((state) => stepOfState(history, state));
  return Object.fromEntries(groups.names.flatMap((name, group) => (groups.ofRow.includes(group) ? [[name, { steps, values: lengths[group] ?? [] }]] : [])));
}

/** Two series joined, with a gap between them if neither has some recorded steps of the embedding. */
function joined(before: StepSeries | undefined, after: StepSeries, recorded: readonly number[]): StepSeries {
  if (!before) return after;
  const last = before.steps.at(-1) ?? 0;
  const from = after.steps.findIndex((step) => step > last);
  if (from < 0) return before;
  const next = after.steps[from] ?? last;
  const missing = recorded.find((step) => step > last && step < next);
  const gap = missing === undefined ? [] : [missing];
  return {
    steps: [...before.steps, ...gap, ...after.steps.slice(from)],
    values: [...before.values, ...gap.map(() => null), ...after.values.slice(from)],
  };
}

/** Mean L2 norm of each group's rows in each state; null if it is not finite. */
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

/** Recorded gradients and moments of the embedding. */
export const optimizer = defineRunFigure({
  name: "optimizer",
  overlays: true,
  read: readMoments,
  describe(runs) {
    return {
      title: "Gradient and Adam moments",
      caption: `Mean L2 norm of the rows of each tensor, over live tokens and over dead tokens, which never appear in the text. At most ${mostStates} snapshots, evenly spread. Zeros are gaps.${smoothingText(pointsOf(runs))}${rangesOf(runs)}`,
      ...linePanels(
        tensors.map(({ tensor, title, label }) => ({
          title,
          smooth: true,
          y: axis(label, null, { scale: "log" }),
          lines: Object.fromEntries(tokenGroupNames.map((group) => [group, ({ series }: Recorded) => series[tensor]?.[group]])),
        })),
        runs,
      ),
    };
  },
});

function pointsOf(runs: readonly { readonly data: Recorded }[]): number[] {
  return runs.flatMap(({ data }) => Object.values(data.series).flatMap((groups) => Object.values(groups).map(({ steps }) => steps.length)));
}

/** What was recorded later, of each run. */
function rangesOf(runs: readonly { readonly label: string; readonly data: Recorded }[]): string {
  const told = runs.filter(({ data }) => data.ranges.length > 0);
  const texts = told.map(({ label, data }) => `${runs.length > 1 ? `${label}: ` : ""}${data.ranges.join(", ").replaceAll(", and", " and")}`);
  return texts.length === 0 ? "" : ` Recorded later: ${texts.join("; ")}.`;
}
