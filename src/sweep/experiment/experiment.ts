import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Bridge } from "../../bridge/bridge.js";
import { configHash } from "../../config/config-hash.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { durableWrite } from "../../formats/durable-write.js";
import { resolvePython, type UsablePython } from "../../python/require-packages.js";
import { experimentsFolder } from "../../runs/run-layout.js";
import { type Conclude, type ConductOptions, conductPlan } from "../conduct-plan.js";
import { chooseExecutor } from "../executors/executors.js";
import { loadBase } from "../grammar/load-base.js";
import type { Plan, Question } from "../plan/plan.js";
import { planExperiment } from "../plan/plan-experiment.js";
import { ManyRuns, requireWorkers } from "../sweep.js";
import { type ConcludeOptions, concludeExperiment } from "./conclude-experiment.js";
import { type ExperimentDocument, experimentDocumentSchema, experimentSummary } from "./experiment-summary.js";
import { type ExperimentDefinition, loadExperiment } from "./load-experiment.js";
import { earlierLooks, type Look } from "./rules.js";

/**
 * SHA-256 of every initial tensor of a configuration, by its name in PyTorch. The model is built on the CPU, where a seed always draws the same numbers.
 * @throws {BhBridgeError} as `Bridge.buildModel`.
 */
export async function initialTensors(bridge: Bridge, config: RunConfig): Promise<Record<string, string>> {
  await using model = await bridge.buildModel(config);
  const hashes: Record<string, string> = {};
  for (const { name } of model.parameters) {
    const { bytes } = await model.tensor(name);
    hashes[name] = createHash("sha256").update(bytes).digest("hex");
  }
  return hashes;
}

/** Compare the arms of an experiment over seeds, and judge by its rules. */
export function concludeQuestion(
  { name }: Pick<Plan, "name">,
  { arms, seeds, rules, measures, cells }: Question,
  python: UsablePython,
): Conclude<ExperimentDocument> {
  return async ({ directory, trials, signal }) => {
    const runOf = new Map(trials.flatMap(({ trial, run, result }) => (result !== null && run !== null ? [[trial, run] as const] : [])));
    const runs = cells.flatMap(({ arm, trial }) => {
      const run = runOf.get(trial);
      return run === undefined ? [] : [{ arm, directory: run }];
    });
    const tensors = storedTensors(directory, python);
    try {
      const options: ConcludeOptions = signal.aborted ? {} : { signal, initialTensors: (config) => tensors.of(config) };
      const document = await concludeExperiment({ directory, name, arms, seeds, rules, measures, runs, looks: looksBefore(directory, seeds) }, options);
      return { document, summary: experimentSummary(document) };
    } finally {
      await tensors.close();
    }
  };
}

/** Earlier verdicts of a directory over other seeds, from its last result. */
function looksBefore(directory: string, seeds: readonly number[]): Look[] {
  const path = join(directory, "result.json");
  if (!existsSync(path)) return [];
  return earlierLooks(experimentDocumentSchema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data, seeds);
}

const storedTensorsSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** The initial tensors of the runs, built once and stored in the experiment's directory. Python starts on demand. */
function storedTensors(directory: string, python: UsablePython) {
  const path = join(directory, "initial-tensors.json");
  const known = existsSync(path) ? (storedTensorsSchema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data ?? {}) : {};
  let bridge: Promise<Bridge> | undefined;
  return {
    async of(config: RunConfig): Promise<Readonly<Record<string, string>>> {
      const key = configHash(config);
      if (known[key]) return known[key];
      bridge ??= Bridge.startWith(python, { device: "cpu", threads: 1 });
      known[key] = await initialTensors(await bridge, config);
      durableWrite(path, `${JSON.stringify(known)}\n`);
      return known[key];
    },
    close: async () => (await bridge)?.close(),
  };
}

/**
 * Compare arms over seeds, and judge by rules fixed in advance. Call it again to continue; only missing or new trials are trained.
 * @param what the name of a shipped experiment, a file, or a definition.
 * @throws {BhBridgeError} as `sweep`, from `result` and at the end of the iteration.
 */
export function experiment(what: string | ExperimentDefinition, options: ConductOptions = {}): ManyRuns<ExperimentDocument> {
  return new ManyRuns(async (report) => {
    requireWorkers(options.workers);
    const loaded = await loadExperiment(what);
    const base = await loadBase(loaded.base, {}, { directory: loaded.directory, cwd: process.cwd() });
    const { python: wanted } = base.config;
    const python = await resolvePython(wanted === undefined ? {} : { config: wanted }, options.signal);
    const executor = await chooseExecutor({ ...options, executor: options.executor ?? loaded.executor }, python);
    const plan = await planExperiment(loaded, base, executor, options.signal);
    return (await conductPlan(plan, python, executor, { out: experimentsFolder, ...options }, report, concludeQuestion(plan, plan.question, python))).document;
  });
}
