import { resolve } from "node:path";
import { diffRunConfigs } from "../config/diff-run-configs.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { recordedStep } from "../runs/history-index.js";
import { readRunConfig } from "../runs/run-config.js";
import { type CorpusFacts, type EnvironmentPin, pinDifferences, type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { count } from "../text/format.js";

/** Schedules whose learning rate at a step does not depend on how many steps there are. */
const openSchedules: readonly string[] = ["constant", "constant_with_warmup", "inverse_sqrt", "reduce_lr_on_plateau"];

/** Counts of steps that, below 1, are fractions of `max_steps`. */
const fractions = ["warmup_steps", "logging_steps", "eval_steps"] as const;

/**
 * Why a run cannot be given another number of steps; nothing when it can.
 *
 * It can when its first steps are those of a run that had that number from the start, bit for bit: what was computed stays valid.
 * @param done steps that have been taken already.
 */
export function extensionProblem({ training }: RunConfig, steps: number, done: number): string | undefined {
  const schedule = training.lr_scheduler_type;
  if (!openSchedules.includes(schedule)) {
    return `its schedule "${schedule}" was planned for ${count(training.max_steps, "step")}, so that a run of ${count(steps, "step")} would have been another one from its first step. Start a new run of ${count(steps, "step")}, or go on from the weights alone with model.from (--from RUN/final on the command line)`;
  }
  const fraction = fractions.find((field) => typeof training[field] === "number" && training[field] > 0 && training[field] < 1);
  if (fraction) return `its training.${fraction} is a fraction of training.max_steps, so that another number of steps changes what was done already`;
  if (steps < done) return `it has taken ${count(done, "step")} already`;
  return undefined;
}

/** What is there now, to go on with. */
interface PresentFacts {
  config: RunConfig;
  corpus: CorpusFacts;
  environment: EnvironmentPin;
}

/** How a run goes on. */
export interface ResumePlan {
  directory: string;
  manifest: RunManifest;
  /** Compare recomputed steps with their checksums; false where another environment was allowed, whose steps replace them. */
  exact: boolean;
  /** What is different in the environment. */
  differences: string[];
  /** The run gets another number of steps than it had. */
  isExtended: boolean;
}

/** Fields that may change between two parts of a run: none of them changes a bit. */
const freeFields: readonly string[] = ["name", "python", "data.corpus", "data.tokenizer", "checkpoint.every", "checkpoint.keep", "device", "threads"];
const stepsField = "training.max_steps";

/**
 * Hold a run against what is there now, and say how it goes on.
 * @param run path of its directory.
 * @throws {BhBridgeError} `RESUME_MISMATCH` when configuration, corpus or environment are others, naming what differs; `CONFIG_INVALID` when the number of
 *   steps cannot be changed; `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED`.
 */
export function planResume(run: string, present: PresentFacts, allowInexact: boolean): ResumePlan {
  const directory = resolve(run);
  const manifest = readRunManifest(directory);
  const isExtended = requireSameConfig(directory, present.config);
  requireSameCorpus(directory, manifest.corpus, present.corpus);
  const differences = pinDifferences(manifest.environment, present.environment);
  if (differences.length > 0 && !allowInexact) {
    throw new BhBridgeError(
      "RESUME_MISMATCH",
      `${directory} was computed in another environment: ${differences.join(", ")}. Its bits would differ from here on. Restore that environment, or accept it with allowInexact (--allow-inexact on the command line)`,
    );
  }
  return { directory, manifest, exact: differences.length === 0 && !allowInexact, differences, isExtended };
}

/**
 * Make sure that a configuration is a run's own, but for what changes no bit and for a number of steps that its schedule allows; whether it has another number
 * of steps.
 * @throws {BhBridgeError} `RESUME_MISMATCH` naming the fields, `CONFIG_INVALID` when the number of steps cannot be changed, `RUN_NOT_FOUND`, `RUN_CORRUPT`.
 */
export function requireSameConfig(directory: string, config: RunConfig): boolean {
  const recorded = readRunConfig(directory);
  const changed = diffRunConfigs(recorded, config).filter(({ path }) => !freeFields.includes(path));
  const others = changed.filter(({ path }) => path !== stepsField);
  if (others.length > 0) {
    const fields = others.map(({ path, before, after }) => `${path} (${JSON.stringify(before)} → ${JSON.stringify(after)})`).join(", ");
    throw new BhBridgeError("RESUME_MISMATCH", `${directory} has another configuration: ${fields}. Go on with the run's own, or start a new run`);
  }
  const isExtended = changed.length > 0;
  if (isExtended) requireExtensible(directory, recorded, config.training.max_steps);
  return isExtended;
}

function requireExtensible(directory: string, recorded: RunConfig, steps: number): void {
  const problem = extensionProblem(recorded, steps, recordedStep(directory) ?? 0);
  if (problem === undefined) return;
  const message = `${directory} cannot go on to ${count(steps, "step")}: ${problem}`;
  throw new BhBridgeError("CONFIG_INVALID", message, { issues: [{ path: stepsField, message: problem }] });
}

/** Make sure that a text is the one that a run was trained on. @throws {BhBridgeError} `RESUME_MISMATCH`. */
export function requireSameCorpus(directory: string, before: CorpusFacts, now: CorpusFacts): void {
  if (before.tokenizer?.sha256 !== now.tokenizer?.sha256) {
    const files = `${before.tokenizer?.path ?? "bytes"} of SHA-256 ${before.tokenizer?.sha256 ?? "none"}`;
    throw new BhBridgeError(
      "RESUME_MISMATCH",
      `the tokenizer has changed: ${directory} was trained on tokens of ${files}. Give it as it was with data.tokenizer; the run has a copy`,
    );
  }
  if (before.sha256 === now.sha256) return;
  throw new BhBridgeError(
    "RESUME_MISMATCH",
    `the corpus has changed: ${directory} was trained on ${before.path} of ${before.bytes} bytes, SHA-256 ${before.sha256}; ${now.path} has ${now.bytes} bytes, SHA-256 ${now.sha256}. Give the text as it was with corpus (--corpus on the command line)`,
  );
}
