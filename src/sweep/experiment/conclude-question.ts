import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Bridge } from "../../bridge/bridge.js";
import { configHash } from "../../config/config-hash.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { durableWrite } from "../../formats/durable-write.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { Conclude } from "../conduct-plan.js";
import type { Plan, Question } from "../plan/plan.js";
import { type ConcludeOptions, concludeExperiment } from "./conclude-experiment.js";
import { type ExperimentDocument, experimentDocumentSchema } from "./experiment-document.js";
import { experimentSummary } from "./experiment-summary.js";
import { initialTensors } from "./initial-tensors.js";
import { earlierLooks, type Look } from "./looks.js";

/** What an experiment says once its trials have ended: arms compared over seeds, and the verdict of its rules. */
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
    const beginnings = new Beginnings(directory, python);
    try {
      const options: ConcludeOptions = signal.aborted ? {} : { signal, initialTensors: (config) => beginnings.of(config) };
      const document = await concludeExperiment({ directory, name, arms, seeds, rules, measures, runs, looks: looksBefore(directory, seeds) }, options);
      return { document, summary: experimentSummary(document) };
    } finally {
      await beginnings.close();
    }
  };
}

/** The verdicts that a directory has had over other seeds, by its result of the last conclusion. */
function looksBefore(directory: string, seeds: readonly number[]): Look[] {
  const path = join(directory, "result.json");
  if (!existsSync(path)) return [];
  return earlierLooks(experimentDocumentSchema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data, seeds);
}

const beginningsSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** What the runs of an experiment begin with, built once each and kept in its directory; Python is started when there is something to build. */
class Beginnings {
  readonly #path: string;
  readonly #python: UsablePython;
  readonly #known: Record<string, Record<string, string>>;
  #bridge: Promise<Bridge> | undefined;

  constructor(directory: string, python: UsablePython) {
    this.#path = join(directory, "initial-tensors.json");
    this.#python = python;
    this.#known = existsSync(this.#path) ? (beginningsSchema.safeParse(JSON.parse(readFileSync(this.#path, "utf8"))).data ?? {}) : {};
  }

  async of(config: RunConfig): Promise<Readonly<Record<string, string>>> {
    const key = configHash(config);
    const known = this.#known[key];
    if (known) return known;
    this.#bridge ??= Bridge.startWith(this.#python, { device: "cpu", threads: 1 });
    const tensors = await initialTensors(await this.#bridge, config);
    this.#known[key] = tensors;
    durableWrite(this.#path, `${JSON.stringify(this.#known)}\n`);
    return tensors;
  }

  async close(): Promise<void> {
    await (await this.#bridge)?.close();
  }
}
