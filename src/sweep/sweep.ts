import { resolvePython } from "../python/resolve-python.js";
import { concludeSweep } from "./conclude-sweep.js";
import { type ConductOptions, conductPlan } from "./conduct-plan.js";
import { chooseExecutor } from "./executors/executors.js";
import { sweepsFolder } from "./folders.js";
import type { SweepDefinition } from "./grammar/define-sweep.js";
import { loadSweep } from "./grammar/load-sweep.js";
import { ManyRuns } from "./many-runs.js";
import type { Plan } from "./plan/plan.js";
import { planSweep } from "./plan/plan-sweep.js";
import { requireWorkers } from "./require-workers.js";
import { conductRounds } from "./search/conduct-rounds.js";
import type { SweepDocument } from "./sweep-document.js";

/**
 * Train many runs: every combination of a sweep's axes with every seed, several side by side. The same sweep again continues where it ended, and trains what
 * was added.
 *
 * @param what a sweep, or the path of its file.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, `CORPUS_INVALID`, `RUN_LOCKED`, `DISK_FULL`, `USAGE`, and as `Bridge.start`; by `result`, and
 * at the end of the iteration. A trial that fails is no error: its status says so.
 */
export function sweep(what: string | SweepDefinition, options: ConductOptions = {}): ManyRuns<SweepDocument> {
  return new ManyRuns(async (tell) => {
    requireWorkers(options.workers);
    const loaded = await loadSweep(typeof what === "string" ? { file: what } : { input: what });
    const { python: wanted } = loaded.base.config;
    const python = await resolvePython(wanted === undefined ? {} : { config: wanted }, options.signal);
    const executor = await chooseExecutor({ ...options, executor: options.executor ?? loaded.spec.executor }, python);
    const conducting = { ...options, out: options.out ?? sweepsFolder };
    const planned = () => planSweep(loaded, { executor, python, out: conducting.out }, options.signal);
    const conduct = (plan: Plan, isFirst: boolean) =>
      conductPlan(plan, python, executor, { ...conducting, retry: isFirst && options.retry }, tell, concludeSweep(plan));
    return (await conductRounds(await planned(), loaded.spec.optuna && planned, conduct, options)).document;
  });
}
