import { createHash } from "node:crypto";
import { z } from "zod";
import { corpusOf } from "../../bridge/corpus.js";
import type { OwnCode } from "../../config/own-code.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { windowLength } from "../../config/run-config-fields.js";
import { corpusIdentity } from "../../runs/run-config.js";
import type { Executor, Machine } from "../executors/executor.js";
import { rulesFromStored, storedRulesSchema } from "../experiment/rules.js";
import type { SweepPoint } from "../grammar/expand-sweep.js";
import type { Prune } from "../prune/prune-condition.js";
import { type PlanFacts, planTrials, type Trial } from "./plan-trials.js";

/** The trials of a sweep or experiment and their hardware. */
export interface Plan {
  name: string;
  base: ResolvedConfig;
  /** Without duplicates, in order of first occurrence. */
  trials: Trial[];
  /** The user's code that trials set by its path, as it was read. */
  code?: readonly OwnCode[] | undefined;
  prune: Prune | null;
  /** The question of an experiment; null for a sweep. */
  question: Question | null;
  /** Of the common parts and the rules. Plans with equal hashes share a directory. */
  hash: string;
  machine: Machine;
}

/** The arms of an experiment and the rules fixed in advance, as `plan.json` stores them. */
export const storedQuestionSchema = z
  .strictObject({
    /** Names of the arms; the first is the control. */
    arms: z.array(z.string()).readonly(),
    seeds: z.array(z.int()).readonly(),
    rules: storedRulesSchema.transform(rulesFromStored),
    /** SHA-256 of the rules, which the verdict repeats. */
    rulesHash: z.string(),
    /** Further measures to describe. */
    measures: z.array(z.string()).readonly(),
    /** The trial of each arm with each seed. */
    cells: z.array(z.strictObject({ arm: z.string(), seed: z.int(), trial: z.string() })).readonly(),
  })
  .transform(({ rulesHash: _, ...question }) => question);
export type Question = z.output<typeof storedQuestionSchema>;

/** Add the names of their arms to trials. */
export function withArms<Planned extends { trial: string }>(
  trials: readonly Planned[],
  cells: readonly Pick<Question["cells"][number], "arm" | "trial">[],
): (Planned & { arm?: string })[] {
  const armOf = new Map(cells.map(({ arm, trial }) => [trial, arm]));
  return trials.map((planned) => {
    const arm = armOf.get(planned.trial);
    return arm === undefined ? planned : { ...planned, arm };
  });
}

export interface PlanSources {
  name: string;
  base: ResolvedConfig;
  points: readonly SweepPoint[];
  /** The user's code that an earlier plan stored: its files are not read again. */
  code?: readonly OwnCode[] | undefined;
  /** What else must be equal for more trials to belong to the plan, besides base and corpus. */
  rules: unknown;
  sourceOf(path: string): string;
}

/** Default threads per trial: many small trainings in parallel are faster than one on many threads. */
const threadsOfTrial = 1;

/**
 * Plan the trials of points: complete, validated and identified. Nothing is started, and each corpus is read once.
 * @returns the plan without its question, and the trial of each point, in order.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; `CORPUS_INVALID`, `ABORTED`.
 */
export async function planPoints(
  { name, base, points, code: stored = [], rules, sourceOf }: PlanSources,
  executor: Executor,
  signal?: AbortSignal,
): Promise<{ plan: Omit<Plan, "prune" | "question">; trialOf: string[] }> {
  const machine = await executor.machine(isOnCpuAlone(base, points), signal);
  const code = new Map(stored.map((each) => [each.path, each]));
  const facts: PlanFacts = { device: machine.device, threads: threadsOfTrial, corpusOf: corpusReader(base, signal), sourceOf, code };
  const planned = await planTrials(base, points, facts);
  const firsts = new Map<string, Trial>();
  for (const trial of planned) if (!firsts.has(trial.trial)) firsts.set(trial.trial, trial);
  const common = JSON.stringify([base.hash, corpusIdentity(await facts.corpusOf(base.config)), rules]);
  const hash = createHash("sha256").update(common).digest("hex");
  const plan = { name, base, trials: [...firsts.values()], ...(code.size > 0 && { code: [...code.values()] }), hash, machine };
  return { plan, trialOf: planned.map(({ trial }) => trial) };
}

function isOnCpuAlone(base: ResolvedConfig, points: readonly SweepPoint[]): boolean {
  return base.config.device === "cpu" && !points.some(({ set }) => Object.hasOwn(set, "device"));
}

/** Reads corpora, each once per set of relevant settings. */
function corpusReader(base: ResolvedConfig, signal?: AbortSignal): PlanFacts["corpusOf"] {
  const read = new Map<string, ReturnType<typeof corpusOf>>();
  return (config) => {
    const { per_device_train_batch_size: batch, dataloader_drop_last: dropLast } = config.training;
    const length = windowLength(config);
    const key = JSON.stringify([config.data, config.model.vocab_size, length, batch, dropLast]);
    const known = read.get(key) ?? corpusOf({ ...base, config }, signal);
    read.set(key, known);
    return known;
  };
}
