import { resolvePython } from "../../python/resolve-python.js";
import { type ConductOptions, conductPlan } from "../conduct-plan.js";
import { chooseExecutor } from "../executors/executors.js";
import { experimentsFolder } from "../folders.js";
import { loadBase } from "../grammar/load-base.js";
import { ManyRuns } from "../many-runs.js";
import { planExperiment } from "../plan/plan-experiment.js";
import { requireWorkers } from "../require-workers.js";
import { concludeQuestion } from "./conclude-question.js";
import type { ExperimentDefinition } from "./define-experiment.js";
import type { ExperimentDocument } from "./experiment-document.js";
import { loadExperiment } from "./load-experiment.js";

/**
 * Compare arms over seeds, and judge by rules that stood before the first step. The same experiment again continues where it ended, and trains what was added.
 *
 * @param what the name of one that ships, the path of a file, or the definition itself.
 * @throws {BhBridgeError} as `sweep`, by `result` and at the end of the iteration.
 */
export function experiment(what: string | ExperimentDefinition, options: ConductOptions = {}): ManyRuns<ExperimentDocument> {
  return new ManyRuns(async (tell) => {
    requireWorkers(options.workers);
    const loaded = await loadExperiment(what);
    const base = await loadBase(loaded.base, {}, { directory: loaded.directory, cwd: process.cwd() });
    const { python: wanted } = base.config;
    const python = await resolvePython(wanted === undefined ? {} : { config: wanted }, options.signal);
    const executor = await chooseExecutor({ ...options, executor: options.executor ?? loaded.executor }, python);
    const plan = await planExperiment(loaded, base, executor, options.signal);
    return (await conductPlan(plan, python, executor, { out: experimentsFolder, ...options }, tell, concludeQuestion(plan, plan.question, python))).document;
  });
}
