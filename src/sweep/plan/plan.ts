import { createHash } from "node:crypto";
import { corpusOf } from "../../bridge/corpus.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { windowLength } from "../../config/run-config-fields.js";
import { corpusIdentity } from "../../runs/run-config.js";
import type { Executor, Machine } from "../executors/executor.js";
import type { Rules } from "../experiment/rules.js";
import type { SweepPoint } from "../grammar/expand-sweep.js";
import type { Prune } from "../prune/prune-condition.js";
import { type PlanFacts, planTrials, type Trial } from "./plan-trials.js";

/** The trials that a sweep or an experiment asks for, and what they are trained on. */
export interface Plan {
  name: string;
  base: ResolvedConfig;
  /** Each once, where it came first. */
  trials: Trial[];
  prune: Prune | null;
  /** What its trials are to answer; null for a sweep. */
  question: Question | null;
  /** Of what its trials have in common and of its rules: a plan with the same may get more trials. */
  hash: string;
  machine: Machine;
}

/** What an experiment compares, and how it will judge: it stands before the first step. */
export interface Question {
  /** Names of the arms; the first is the control. */
  arms: readonly string[];
  seeds: readonly number[];
  rules: Rules;
  /** Further measures to describe. */
  measures: readonly string[];
  /** The trial of each arm with each seed. */
  cells: readonly Cell[];
}

/** One arm with one seed. */
interface Cell {
  arm: string;
  seed: number;
  trial: string;
}

/** Trials with the names of their arms. */
export function withArms<Planned extends { trial: string }>(
  trials: readonly Planned[],
  cells: readonly Pick<Cell, "arm" | "trial">[],
): (Planned & { arm?: string })[] {
  const armOf = new Map(cells.map(({ arm, trial }) => [trial, arm]));
  return trials.map((planned) => {
    const arm = armOf.get(planned.trial);
    return arm === undefined ? planned : { ...planned, arm };
  });
}

/** What a plan is made of. */
export interface PlanSources {
  name: string;
  base: ResolvedConfig;
  points: readonly SweepPoint[];
  /** What, beside the base and its corpus, has to be the same for more trials to belong to it. */
  rules: unknown;
  /** Where a path of what was written stands. */
  sourceOf(path: string): string;
}

/** CPU threads of a trial that does not say: many small trainings side by side are quicker than one on many threads. */
const threadsOfTrial = 1;

/**
 * Plan the trials of points: each complete, checked and identified; nothing is started. Corpora are read once each.
 *
 * @returns the plan's own part, and the trial of each point, in their order.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; `CORPUS_INVALID`, `ABORTED`.
 */
export async function planPoints(
  { name, base, points, rules, sourceOf }: PlanSources,
  executor: Executor,
  signal?: AbortSignal,
): Promise<{ plan: Omit<Plan, "prune" | "question">; trialOf: string[] }> {
  const machine = await executor.machine(isOnCpuAlone(base, points), signal);
  const facts: PlanFacts = { device: machine.device, threads: threadsOfTrial, corpusOf: corpusReader(base, signal), sourceOf };
  const planned = await planTrials(base, points, facts);
  const firsts = new Map<string, Trial>();
  for (const trial of planned) if (!firsts.has(trial.trial)) firsts.set(trial.trial, trial);
  const common = JSON.stringify([base.hash, corpusIdentity(await facts.corpusOf(base.config)), rules]);
  const plan = { name, base, trials: [...firsts.values()], hash: createHash("sha256").update(common).digest("hex"), machine };
  return { plan, trialOf: planned.map(({ trial }) => trial) };
}

function isOnCpuAlone(base: ResolvedConfig, points: readonly SweepPoint[]): boolean {
  return base.config.device === "cpu" && !points.some(({ set }) => Object.hasOwn(set, "device"));
}

/** Reads the corpus of a configuration; one that was read with the same settings is not read again. */
function corpusReader(base: ResolvedConfig, signal?: AbortSignal): PlanFacts["corpusOf"] {
  const read = new Map<string, ReturnType<typeof corpusOf>>();
  return (config) => {
    const { per_device_train_batch_size, dataloader_drop_last } = config.training;
    const key = JSON.stringify([
      config.data.corpus,
      config.data.tokenizer,
      config.data.train_tokenizer,
      config.data.windows,
      config.data.label_shift,
      config.model.vocab_size,
      windowLength(config),
      config.data.held_out,
      per_device_train_batch_size,
      dataloader_drop_last,
    ]);
    const known = read.get(key) ?? corpusOf({ ...base, config }, signal);
    read.set(key, known);
    return known;
  };
}
