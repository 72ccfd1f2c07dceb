import { join } from "node:path";
import { census } from "../../analysis/census/census.js";
import { TrainerCallback } from "../../bridge/trainer-callback.js";
import { stepsUpTo } from "../../config/record-schema.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError } from "../../errors.js";
import { findTensor } from "../../formats/find-tensor.js";
import { embeddingHistory } from "../../formats/history.js";
import { itemSizes, Matrix } from "../../formats/matrix.js";
import { openSafetensors } from "../../formats/safetensors/safetensors.js";
import { writeCovered } from "../../runs/checksums.js";
import { lastEvent } from "../../runs/read-events.js";
import { historyFile, runFiles } from "../../runs/run-layout.js";
import { readRunManifest, readRunNotes, runManifestText, writeRunNotes } from "../../runs/run-manifest.js";
import { type Prune, type PruneFacts, prunedBecause, stepsToLookBack } from "./prune-condition.js";

/**
 * The metrics of a training after a step, from the snapshots recorded so far, including uncommitted ones.
 * @param lookBack maximum steps to look back for motion.
 */
export function pruneFacts(
  directory: string,
  { every, schedules }: Pick<RunConfig["record"], "every" | "schedules">,
  step: number,
  lookBack: number,
  loss: number,
): PruneFacts {
  const path = join(directory, historyFile);
  const file = openSafetensors(path);
  try {
    const tensor = findTensor(file.tensors, embeddingHistory, path);
    const [, tokens = 0, dims = 0] = tensor.shape;
    const rows = tensor.rows();
    const read = (state: number) => {
      const bytes = new Uint8Array(tokens * dims * itemSizes[rows.dtype]);
      rows.read(state * tokens, tokens, bytes);
      return bytes;
    };
    const steps = stepsUpTo(schedules?.["wte"] ?? every, step);
    const newest = steps.length - 1;
    const since = (states: number): number => (steps[newest] ?? 0) - (steps[newest - states] ?? 0);
    const state = read(newest);
    let still = 0;
    while (since(still) < lookBack && still < newest && Buffer.compare(state, read(newest - still - 1)) === 0) still++;
    const { C, P, unique } = census(new Matrix(rows.dtype, [tokens, dims], state));
    return { C, P, unique, loss, stillSteps: since(still) };
  } finally {
    file.close();
  }
}

/** Start of the reason of a pruned run, in its `run.json` and its notes. */
export const prunedPrefix = "pruned ";

/** Ends a training when a condition of its sweep holds. It depends only on recorded data, so it stops at the same step everywhere. */
export class PruneCallback extends TrainerCallback {
  /** Of the run; set once it has started. */
  directory: string | undefined;
  readonly #prune: Prune;
  readonly #record: RunConfig["record"];
  override readonly decide: NonNullable<TrainerCallback["decide"]>;

  constructor(prune: Prune, { record }: Pick<RunConfig, "record">) {
    super();
    this.#prune = prune;
    this.#record = record;
    this.decide = {
      every: prune.every,
      ask: ({ global_step, loss }) => {
        if (this.directory === undefined) throw new BhBridgeError("INTERNAL", "a training was checked before its run started");
        return { should_training_stop: this.#reasonAt(this.directory, global_step, loss) !== undefined };
      },
    };
  }

  /** Record why a run was pruned, in its `run.json` and its notes, with the tag `pruned`. @returns the reason. */
  noteIn(directory: string): string {
    const { global_step: step, loss } = lastEvent(directory, "step_end") ?? { global_step: 0, loss: Number.NaN };
    const reason = `after step ${step}: ${this.#reasonAt(directory, step, loss) ?? "stopped by a decider"}`;
    const notes = readRunNotes(directory);
    writeRunNotes(directory, { ...notes, note: notes.note ?? `${prunedPrefix}${reason}`, tags: [...notes.tags, "pruned"] });
    writeCovered(directory, runFiles.manifest, runManifestText({ ...readRunManifest(directory), reason: `${prunedPrefix}${reason}` }));
    return reason;
  }

  #reasonAt(directory: string, step: number, loss: number): string | undefined {
    return prunedBecause(this.#prune, pruneFacts(directory, this.#record, step, stepsToLookBack(this.#prune), loss));
  }
}
