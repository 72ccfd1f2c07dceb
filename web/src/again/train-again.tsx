import { useState } from "preact/hooks";
import type { Retraining } from "../../../src/report/retraining.js";
import type { Snapshot, TrainingOrder } from "../../shared/portable/messages.js";
import { outcomeOf } from "../../shared/portable/outcome.js";
import { LinePlot } from "./line-plot.js";
import { type LiveTraining, useTraining } from "./use-training.js";
import "./again.css";

/** The parts of a training that differ between a page and a report. */
export interface TrainAgainProps {
  /** Most steps that can be trained, and the number that is chosen first. */
  readonly most: number;
  readonly usual: number;
  /** What is known of the first steps of the run. */
  retraining(steps: number): Promise<Retraining>;
  library(): Promise<ArrayBuffer>;
  worker(): Worker;
}

/** Train the first steps of a run again in the browser, and compare every bit with what was recorded. */
export function TrainAgain({ most, usual, retraining, library, worker }: TrainAgainProps) {
  const { training, start, stop } = useTraining(worker);
  const [steps, setSteps] = useState(usual);
  const [known, setKnown] = useState<Retraining>();
  const isRunning = training.state === "loading" || training.state === "running";
  const isChosen = Number.isInteger(steps) && steps >= 1 && steps <= most;
  const begin = () =>
    start(async () => {
      const [loaded, bytes] = await Promise.all([retraining(steps), library()]);
      setKnown(loaded);
      return await orderOf(loaded, bytes, steps);
    });
  const last = known && training.state !== "idle" ? Math.min(steps, known.steps.at(-1) ?? steps) : steps;
  return (
    <div class="again">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isRunning) stop();
          else if (isChosen) void begin();
        }}
      >
        <label>
          Steps
          <input
            type="number"
            min={1}
            max={most}
            value={Number.isNaN(steps) ? "" : steps}
            disabled={isRunning}
            onInput={(event) => setSteps(event.currentTarget.valueAsNumber)}
          />
        </label>
        <button type="submit" class="primary" disabled={!isRunning && !isChosen}>
          {isRunning ? "Stop" : "Train this again here"}
        </button>
        {isRunning && <progress max={last} value={training.snapshots.at(-1)?.step ?? 0} aria-label="Steps trained" />}
        <span class="pace">{paceOf(training)}</span>
      </form>
      <Outcome training={training} />
      {known && training.snapshots.length > 0 && <Lines known={known} snapshots={training.snapshots} last={last} />}
    </div>
  );
}

function paceOf({ snapshots }: LiveTraining): string {
  const last = snapshots.at(-1);
  if (!last || last.step === 0) return "";
  return `step ${last.step}, ${(last.step / last.seconds).toFixed(1)} steps/s`;
}

/** The result so far. Readers of screens hear only the end. */
function Outcome({ training }: { training: LiveTraining }) {
  const { state, snapshots, problem } = training;
  const isOver = state === "done" || state === "failed";
  const words = problem ?? (snapshots.length > 0 ? outcomeOf(snapshots) : state === "loading" ? "Loading …" : "");
  const differs = snapshots.some(({ comparison }) => comparison?.isEqual === false);
  return (
    <>
      <p class={`outcome${differs || problem !== undefined ? " differs" : isOver ? " equal" : ""}`} aria-hidden={isOver}>
        {words}
      </p>
      <p class="visually-hidden" role="status">
        {isOver ? words : ""}
      </p>
    </>
  );
}

function Lines({ known, snapshots, last }: { known: Retraining; snapshots: readonly Snapshot[]; last: number }) {
  const until = known.steps.findIndex((step) => step > last);
  const recorded = (values: readonly number[]) => (until < 0 ? values : values.slice(0, until));
  const isDense = known.steps.every((step, state) => step === state);
  return (
    <div class="live-plots">
      <LinePlot
        title="Loss"
        lastStep={last}
        lines={[
          { name: "recorded", kind: "recorded", first: 1, values: known.losses.slice(0, last) },
          { name: "here", kind: "now", first: 1, values: snapshots.slice(1).map(({ loss }) => loss) },
        ]}
      />
      <LinePlot
        title="Rows"
        lastStep={last}
        floor={0}
        lines={[
          ...(isDense ? [{ name: "recorded", kind: "recorded" as const, first: 0, values: recorded(known.P) }] : []),
          { name: "P, rows in black holes", kind: "now", first: 0, values: snapshots.map(({ counts }) => counts.P) },
          ...(isDense ? [{ name: "recorded", kind: "recorded-second" as const, first: 0, values: recorded(known.unique) }] : []),
          { name: "distinct rows", kind: "now-second", first: 0, values: snapshots.map(({ counts }) => counts.unique) },
        ]}
      />
    </div>
  );
}

async function orderOf(known: Retraining, library: ArrayBuffer, until: number): Promise<TrainingOrder> {
  const { config, text, deadTokens, steps, hashes, rows } = known;
  return {
    library,
    config,
    text: { kind: text.kind, tokens: await inflated(text.tokens) },
    until: Math.min(until, steps.at(-1) ?? 0),
    deadTokens,
    recording: { steps, hashes: bytesOf(hashes), rows: bytesOf(rows) },
    isSeen: false,
  };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** The bytes of base64 of raw DEFLATE. */
export async function inflated(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
