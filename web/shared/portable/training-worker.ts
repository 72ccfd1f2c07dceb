import { rowClasses, selectRows } from "../../../src/analysis/census/census.js";
import { rowValues } from "../../../src/analysis/census/row-values.js";
import { PortableLibrary } from "./library.js";
import type { Comparison, Counts, Recording, Snapshot, TrainingOrder, WorkerMessage, WorkerOrder } from "./messages.js";
import { Sha256 } from "./sha256.js";
import { PortableTraining } from "./training.js";
import { ViewPlane } from "./view-plane.js";

/** Train as ordered, and yield each snapshot from step 0 on. It ends after the last step, or at the first snapshot that differs from the recording. */
export async function* trained(order: TrainingOrder): AsyncGenerator<Snapshot> {
  const library = await PortableLibrary.load(order.library);
  const training = new PortableTraining(library, order.config, order.text);
  const history = new Sha256();
  const plane = new ViewPlane();
  const dead = new Set(order.deadTokens);
  const hidden = order.config.model.n_embd;
  let seconds = 0;
  try {
    for (let loss: number | undefined; ; ) {
      const embedding = training.embedding.slice();
      const bytes = new Uint8Array(embedding.buffer);
      const values = rowValues("BF16", bytes, hidden);
      const classes = rowClasses(values, selectRows(embedding.length / hidden));
      const comparison = order.recording && compared(bytes, (row) => values.hash(row) ?? 0, order.recording, training.step);
      yield {
        kind: "snapshot",
        step: training.step,
        loss,
        counts: countsOf(classes, dead),
        classes,
        places: order.isSeen ? plane.places(embedding, hidden) : new Float32Array(0),
        sha256: history.add(bytes).hex(),
        seconds,
        comparison,
      };
      if (training.step >= order.until || comparison?.isEqual === false) return;
      const from = performance.now();
      loss = training.next();
      seconds += (performance.now() - from) / 1000;
    }
  } finally {
    training.close();
  }
}

function compared(bytes: Uint8Array, markOf: (row: number) => number, { steps, hashes, rows }: Recording, step: number): Comparison | undefined {
  const state = steps.indexOf(step);
  if (state < 0) return undefined;
  const digest = new Sha256().add(bytes).digest();
  if (digest.every((byte, at) => byte === hashes[state * digest.length + at])) return { isEqual: true };
  const count = rows.length / steps.length;
  const marks = rows.subarray(state * count, (state + 1) * count);
  return { isEqual: false, rows: [...marks.keys()].filter((row) => marks[row] !== (markOf(row) & 0xff)) };
}

function countsOf(classes: Int32Array, dead: ReadonlySet<number>): Counts {
  const populations = new Map<number, number>();
  for (const first of classes) populations.set(first, (populations.get(first) ?? 0) + 1);
  const alone = [...populations].flatMap(([first, population]) => (population === 1 ? [first] : []));
  const deadAlone = alone.filter((row) => dead.has(row)).length;
  return {
    C: populations.size - alone.length,
    P: classes.length - alone.length,
    unique: populations.size,
    liveAlone: alone.length - deadAlone,
    deadAlone,
  };
}

/** Answer the orders that a worker receives. */
export function answerOrders(scope: { onmessage: ((event: MessageEvent) => void) | null; postMessage(message: WorkerMessage): void }): void {
  let resume: (() => void) | undefined;
  let waiting: Promise<void> | undefined;
  const run = async (order: TrainingOrder): Promise<void> => {
    for await (const snapshot of trained(order)) {
      scope.postMessage(snapshot);
      await new Promise((resolve) => setTimeout(resolve)); // lets orders arrive
      await waiting;
    }
    scope.postMessage({ kind: "done" });
  };
  scope.onmessage = ({ data }: MessageEvent<WorkerOrder>) => {
    if (data.kind === "train") {
      run(data.order).catch((error: unknown) => scope.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) }));
      return;
    }
    resume?.();
    resume = undefined;
    waiting = data.isPaused
      ? new Promise((resolve) => {
          resume = resolve;
        })
      : undefined;
  };
}
