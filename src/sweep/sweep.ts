import { EventStreams } from "../bridge/event-streams.js";
import { BhBridgeError } from "../errors.js";
import { resolvePython } from "../python/require-packages.js";
import { sweepsFolder } from "../runs/run-layout.js";
import { type ConductOptions, conductPlan, conductRounds } from "./conduct-plan.js";
import { chooseExecutor } from "./executors/executors.js";
import { loadSweep } from "./grammar/load-sweep.js";
import type { SweepDefinition } from "./grammar/sweep-schema.js";
import type { Plan } from "./plan/plan.js";
import { planSweep } from "./plan/plan-experiment.js";
import type { SweepDocument, TrialEvent } from "./sweep-document.js";
import { concludeSweep } from "./sweep-summary.js";

/** Events buffered for a slow reader. Later step events are dropped. */
const maxWaiting = 1024;

/** Trials being trained. Iterate to follow them; training does not depend on it. */
export class ManyRuns<Document> implements AsyncIterable<TrialEvent> {
  /** Resolves when all trials have ended; rejects with the errors of the function that returned this. */
  readonly result: Promise<Document>;
  readonly #streams = new EventStreams<TrialEvent>({ maxWaiting, isDroppable: ({ kind }) => kind === "step" });

  /** @internal */
  constructor(conduct: (report: (event: TrialEvent) => void) => Promise<Document>) {
    this.result = conduct((event) => this.#streams.push(event));
    const close = () => this.#streams.close();
    this.result.then(close, close); // an iterator reports a failure at the end of its loop
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrialEvent, void> {
    yield* this.#streams.open();
    await this.result;
  }
}

/** @throws {BhBridgeError} `USAGE` unless workers is a whole number above 0. */
export function requireWorkers(workers: number | undefined): void {
  if (workers === undefined || (Number.isInteger(workers) && workers >= 1)) return;
  throw new BhBridgeError("USAGE", `workers must be a whole number above 0, got ${workers}`);
}

/**
 * Train a sweep: every combination of its axes with every seed, several trials in parallel. Call it again to continue; only missing or new trials are trained.
 * @param what a sweep, or the path of its file.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, `CORPUS_INVALID`, `RUN_LOCKED`, `DISK_FULL`, `USAGE`, and as `Bridge.start`; from
 * `result` and at the end of the iteration. A failed trial is reported as its status, not as an error.
 */
export function sweep(what: string | SweepDefinition, options: ConductOptions = {}): ManyRuns<SweepDocument> {
  return new ManyRuns(async (report) => {
    requireWorkers(options.workers);
    const loaded = await loadSweep(typeof what === "string" ? { file: what } : { input: what });
    const { python: wanted } = loaded.base.config;
    const python = await resolvePython(wanted === undefined ? {} : { config: wanted }, options.signal);
    const executor = await chooseExecutor({ ...options, executor: options.executor ?? loaded.spec.executor }, python);
    const conducting = { ...options, out: options.out ?? sweepsFolder };
    const planned = () => planSweep(loaded, { executor, python, out: conducting.out }, options.signal);
    const conduct = (plan: Plan, isFirst: boolean) =>
      conductPlan(plan, python, executor, { ...conducting, retry: isFirst && options.retry }, report, concludeSweep(plan));
    return (await conductRounds(await planned(), loaded.spec.optuna && planned, conduct, options)).document;
  });
}
