import { resolve } from "node:path";
import { diffRunConfigs } from "../config/config-hash.js";
import { codePaths } from "../config/own-code.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { recordedStep } from "../runs/history-index.js";
import { readRunConfig } from "../runs/run-config.js";
import { type CorpusFacts, type EnvironmentPin, pinDifferences, type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { count } from "../text/format.js";

/** Schedules whose learning rate at a step does not depend on the number of steps. */
const openSchedules: readonly string[] = ["constant", "constant_with_warmup", "inverse_sqrt", "reduce_lr_on_plateau"];

/** Fields that are fractions of `max_steps` if below 1. */
const fractions = ["warmup_steps", "logging_steps", "eval_steps"] as const;

/**
 * Why a run cannot have another number of steps, undefined if it can: its first steps must have the bits of a run with that number from the start.
 * @param done steps taken already.
 */
export function extensionProblem({ training }: RunConfig, steps: number, done: number): string | undefined {
  const schedule = training.lr_scheduler_type;
  if (!openSchedules.includes(schedule)) {
    return `its schedule "${schedule}" depends on the number of steps (${count(training.max_steps, "step")}), so a run of ${count(steps, "step")} differs from its first step. Start a new run of ${count(steps, "step")}, or start from the weights alone with model.from (--from RUN/final on the command line)`;
  }
  const fraction = fractions.find((field) => typeof training[field] === "number" && training[field] > 0 && training[field] < 1);
  if (fraction) return `its training.${fraction} is a fraction of training.max_steps, so another number of steps changes completed steps`;
  if (steps < done) return `it has taken ${count(done, "step")} already`;
  return undefined;
}

export interface ResumePlan {
  directory: string;
  manifest: RunManifest;
  /** Compare recomputed steps with their checksums. If another environment is allowed, recomputed steps replace the recorded ones. */
  exact: boolean;
  differences: string[];
  /** The number of steps changes. */
  isExtended: boolean;
}

/** Fields that may change when a run is resumed, since none of them changes a bit. */
const freeFields: readonly string[] = [
  ...["name", "python", "data.corpus", "data.tokenizer", "checkpoint.every", "checkpoint.keep", "device", "threads"],
  ...codePaths.map((path) => `${path}.path`), // the content is compared by its checksum
];
const stepsField = "training.max_steps";

/**
 * Compare a run with the present configuration, corpus and environment, and plan how to resume it.
 * @param run path of its directory.
 * @throws {BhBridgeError} `RESUME_MISMATCH` naming the differences in configuration, corpus or environment; `CONFIG_INVALID` if the number of steps cannot
 *   change; `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED`.
 */
export function planResume(run: string, present: { config: RunConfig; corpus: CorpusFacts; environment: EnvironmentPin }, allowInexact: boolean): ResumePlan {
  const directory = resolve(run);
  const manifest = readRunManifest(directory);
  const isExtended = requireSameConfig(directory, present.config);
  requireSameCorpus(directory, manifest.corpus, present.corpus);
  const differences = pinDifferences(manifest.environment, present.environment);
  if (differences.length > 0 && !allowInexact) {
    throw new BhBridgeError(
      "RESUME_MISMATCH",
      `${directory} was computed in another environment: ${differences.join(", ")}. Its next steps would have other bits. Restore that environment, or accept the difference with allowInexact (--allow-inexact on the command line)`,
    );
  }
  return { directory, manifest, exact: differences.length === 0 && !allowInexact, differences, isExtended };
}

/**
 * Require that a configuration equals a run's, except for fields that change no bit and for the number of steps if its schedule allows it.
 * @returns whether the number of steps differs.
 * @throws {BhBridgeError} `RESUME_MISMATCH` naming the fields, `CONFIG_INVALID` if the number of steps cannot change, `RUN_NOT_FOUND`, `RUN_CORRUPT`.
 */
export function requireSameConfig(directory: string, config: RunConfig): boolean {
  const recorded = readRunConfig(directory);
  const changed = diffRunConfigs(recorded, config).filter(({ path }) => !freeFields.includes(path));
  const others = changed.filter(({ path }) => path !== stepsField);
  if (others.length > 0) {
    const fields = others.map(({ path, before, after }) => `${path} (${JSON.stringify(before)} → ${JSON.stringify(after)})`).join(", ");
    throw new BhBridgeError("RESUME_MISMATCH", `${directory} has another configuration: ${fields}. Resume with the run's configuration, or start a new run`);
  }
  if (changed.length === 0) return false;
  const steps = config.training.max_steps;
  const problem = extensionProblem(recorded, steps, recordedStep(directory) ?? 0);
  if (problem === undefined) return true;
  const message = `${directory} cannot be extended to ${count(steps, "step")}: ${problem}`;
  throw new BhBridgeError("CONFIG_INVALID", message, { issues: [{ path: stepsField, message: problem }] });
}

/** Require that a corpus equals the one of a run. @throws {BhBridgeError} `RESUME_MISMATCH`. */
export function requireSameCorpus(directory: string, before: CorpusFacts, now: CorpusFacts): void {
  if (before.tokenizer?.sha256 !== now.tokenizer?.sha256) {
    const files = `${before.tokenizer?.path ?? "bytes"} of SHA-256 ${before.tokenizer?.sha256 ?? "none"}`;
    throw new BhBridgeError(
      "RESUME_MISMATCH",
      `the tokenizer has changed: ${directory} was trained on tokens of ${files}. Give the original tokenizer with data.tokenizer; the run has a copy`,
    );
  }
  if (before.sha256 === now.sha256) return;
  throw new BhBridgeError(
    "RESUME_MISMATCH",
    `the corpus has changed: ${directory} was trained on ${before.path} of ${before.bytes} bytes, SHA-256 ${before.sha256}; ${now.path} has ${now.bytes} bytes, SHA-256 ${now.sha256}. Give the original text with corpus (--corpus on the command line)`,
  );
}
