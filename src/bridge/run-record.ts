import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { batchedRuns, processesOf } from "../config/engine-schema.js";
import { codeOf } from "../config/own-code.js";
import type { ResolvedConfig } from "../config/resolve-run-config.js";
import { durableWrite } from "../formats/durable-write.js";
import type { TrainEventOf } from "../protocol/events.js";
import type { ReplyOf } from "../protocol/operations.js";
import { latestMethod } from "../protocol/step-method.js";
import { packageManifest } from "../python/package-manifest.js";
import { atExit } from "../python/session-folder.js";
import { sealRun } from "../runs/checksums.js";
import { createRunDirectory } from "../runs/create-run-directory.js";
import { nodeEnvironment, repositoryState } from "../runs/git-state.js";
import { readEvents, trainedSeconds } from "../runs/read-events.js";
import { foreignEntry } from "../runs/remove-run.js";
import { runConfigText } from "../runs/run-config.js";
import { runFiles } from "../runs/run-layout.js";
import { type EnvironmentPin, type RunManifest, runFormat, runManifestText, writeRunManifest } from "../runs/run-manifest.js";
import type { ResumePlan } from "./resume-plan.js";
import type { TrainerCallback } from "./trainer-callback.js";
import type { TrainerSetup } from "./trainer-options.js";

/** The source of the callbacks' classes as they ran (compiled, if written in TypeScript). */
function sourcesOf(callbacks: readonly TrainerCallback[]): string {
  return `${[...new Set(callbacks.map((callback) => callback.constructor.toString()))].join("\n\n")}\n`;
}

/** The manifest of a run, written durably at every change. Python writes the rest of the run and holds its lock. */
export class RunRecord {
  readonly directory: string;
  #manifest: RunManifest;

  private constructor(directory: string, manifest: RunManifest) {
    this.directory = directory;
    this.#manifest = manifest;
  }

  /** Create a new run directory. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
  static async create(
    { out, resolved, model, corpus: { readFrom: _prepared, ...corpus }, callbacks, startFrom, repository: given }: TrainerSetup,
    environment: EnvironmentPin,
  ): Promise<RunRecord> {
    const { config, preset, hash } = resolved;
    const repository = given === undefined ? await repositoryState() : given;
    const name = config.name ?? preset;
    const manifest: RunManifest = {
      format: runFormat,
      min_reader: runFormat,
      name,
      preset,
      status: "running",
      reason: null,
      created: new Date().toISOString(),
      ended: null,
      package_version: packageManifest().version,
      config_hash: hash,
      parameters: model.parameterCount,
      environment,
      corpus,
      engine: config.engine.name,
      processes: processesOf(config),
      batched_runs: batchedRuns(config),
      step_method: null,
      seconds: 0,
      git: repository?.state ?? null,
      resumes: [],
      start_from: startFrom === undefined ? null : resolve(startFrom), // absolute, since a run may be resumed from another folder
      model_changes: [...model.changes],
    };
    const files = {
      [runFiles.config]: runConfigText(config, resolve(out, name)), // has the depth of the new directory
      [runFiles.manifest]: runManifestText(manifest),
      [runFiles.nodeEnvironment]: `${JSON.stringify(nodeEnvironment(Object.keys(packageManifest().dependencies)), null, 2)}\n`,
      ...Object.fromEntries(Object.entries(codeOf(config)).map(([copy, { source }]) => [copy, source])),
      ...(corpus.tokenizer && { [runFiles.tokenizer]: readFileSync(corpus.tokenizer.path, "utf8") }),
      ...(repository?.state.patch && { [runFiles.patch]: repository.patch }),
      ...(callbacks.length > 0 && { [runFiles.callbacks]: sourcesOf(callbacks) }),
    };
    return new RunRecord(createRunDirectory(out, name, hash, files), manifest);
  }

  /** Reopen a run that ended early. Nothing is written before `resumed`, when Python holds its lock. */
  static reopen({ directory, manifest }: ResumePlan): RunRecord {
    return new RunRecord(directory, manifest);
  }

  get manifest(): RunManifest {
    return this.#manifest;
  }

  /** Record that the run is resumed, and its configuration if the number of steps has changed. */
  resumed(plan: ResumePlan, { config, hash }: ResolvedConfig, environment: EnvironmentPin, reply: ReplyOf<"trainer.create">): void {
    const { exact, differences, isExtended } = plan;
    if (isExtended) durableWrite(join(this.directory, runFiles.config), runConfigText(config, this.directory));
    const resume = { at: new Date().toISOString(), from_step: reply.from_step, recorded_step: reply.recorded_step, exact, differences };
    this.#write({
      status: "running",
      reason: null,
      ended: null,
      config_hash: isExtended ? hash : this.#manifest.config_hash,
      environment,
      seconds: trainedSeconds(readEvents(this.directory)),
      resumes: [...this.#manifest.resumes, resume],
    });
  }

  /** Record changes of the model before training begins. */
  begins(changes: readonly string[]): void {
    if (!isDeepStrictEqual(changes, this.#manifest.model_changes)) this.#write({ model_changes: [...changes] });
  }

  computedBy({ method, used, reason, reference_seconds, seconds }: TrainEventOf<"step_method">): void {
    this.#write({ step_method: latestMethod(this.#manifest.step_method, { method, used, reason, reference_seconds, seconds }) });
  }

  /** Record how the run ended, and seal it. A full disk does not fail the training: `runs verify` reports missing checksums. */
  finished({ status, reason, seconds }: ReplyOf<"trainer.train">): void {
    this.#write({ status, reason, seconds: this.#manifest.seconds + seconds, ended: new Date().toISOString() });
    try {
      sealRun(this.directory);
    } catch (cause) {
      process.emitWarning(`the checksums of ${this.directory} could not be written: ${String(cause)}`, "BhBridgeRunWarning");
    }
  }

  /** Record a failure. If that fails, the original error is still reported, and the run counts as interrupted. */
  failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    try {
      this.#write({ status: "failed", reason, ended: new Date().toISOString() });
    } catch (cause) {
      process.emitWarning(`the failure could not be recorded in ${this.directory}: ${String(cause)}`, "BhBridgeRunWarning");
    }
  }

  /** Remove the directory of a run that never began, unless it contains other files. */
  discard(): void {
    if (!existsSync(this.directory)) return;
    try {
      if (foreignEntry(this.directory) === undefined) rmSync(this.directory, { recursive: true, force: true });
      else this.failed("its training never began");
    } catch (cause) {
      process.emitWarning(`a run that never began could not be removed from ${this.directory}: ${String(cause)}`, "BhBridgeRunWarning");
    }
  }

  #write(changes: Partial<RunManifest>): void {
    this.#manifest = { ...this.#manifest, ...changes };
    writeRunManifest(this.directory, this.#manifest);
  }
}

/** A run whose training can begin. */
export class StartedRun {
  /** Absolute path of the run directory. */
  readonly directory: string;
  /** Training windows of the corpus. */
  readonly windows: number;
  /** The step of the checkpoint that training starts from, else 0. */
  readonly fromStep: number;
  /** The newest recorded step of a resumed run, up to which steps are recomputed; −1 for none. */
  readonly recordedStep: number;
  /** Problems with newer checkpoints of a resumed run. */
  readonly rejectedCheckpoints: readonly string[];
  readonly #record: RunRecord;

  constructor(record: RunRecord, reply: ReplyOf<"trainer.create">) {
    this.#record = record;
    this.directory = record.directory;
    this.windows = reply.windows;
    this.fromStep = reply.from_step;
    this.recordedStep = reply.recorded_step;
    this.rejectedCheckpoints = reply.rejected_checkpoints;
  }

  /** The present content of `run.json`. */
  get manifest(): RunManifest {
    return this.#record.manifest;
  }
}

/** The directory of a run whose training has not begun. It is removed when its trainer, Python or Node ends. */
export class UnstartedRun {
  #record: RunRecord | undefined;
  #isGone = false;
  readonly #forgetExit: () => void;

  /** @param ended settles when Python has ended. */
  constructor(record: RunRecord, ended: Promise<unknown>) {
    this.#record = record;
    this.#forgetExit = atExit(() => this.discard());
    void ended.then(() => this.discard());
  }

  /** Training has begun: keep the directory. */
  begin(): void {
    this.#record = undefined;
    this.#forgetExit();
  }

  /** Remove the directory unless training has begun; whether this or an earlier call removed it. */
  discard(): boolean {
    const record = this.#record;
    this.begin();
    record?.discard();
    this.#isGone ||= record !== undefined;
    return this.#isGone;
  }
}
