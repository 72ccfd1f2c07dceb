import { TrainerCallback } from "../../bridge/trainer-callback.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError } from "../../errors.js";
import { writeCovered } from "../../runs/checksums.js";
import { lastEvent } from "../../runs/read-events.js";
import { runFiles } from "../../runs/run-layout.js";
import { readRunManifest, runManifestText } from "../../runs/run-manifest.js";
import { readRunNotes, writeRunNotes } from "../../runs/run-notes.js";
import { type Prune, prunedBecause, stepsToLookBack } from "./prune-condition.js";
import { pruneFacts } from "./prune-facts.js";

/** What the reason of a pruned run begins with, in its `run.json` and its notes. */
export const prunedPrefix = "pruned ";

/** Ends a training when a condition of its sweep holds. It rests on what is recorded alone, so that it falls at the same step wherever the trial runs. */
export class PruneCallback extends TrainerCallback {
  /** That of the run; known once it has begun. */
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
        if (this.directory === undefined) throw new BhBridgeError("INTERNAL", "a training is judged before its run has begun");
        return { should_training_stop: this.#reasonAt(this.directory, global_step, loss) !== undefined };
      },
    };
  }

  /** Why a run was pruned that has ended by this; written into its `run.json` as well, and into its notes with the tag `pruned`. */
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
