import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { durableWrite } from "../formats/durable-write.js";
import { presentManifest, stepMethodFields } from "../protocol/step-method.js";
import { writeCovered } from "./checksums.js";
import { isThere, readWhole } from "./file-types.js";
import { gitStateSchema } from "./git-state.js";
import { checkRunJson, readRunDocument, readRunJson } from "./read-run-json.js";
import { runFiles } from "./run-layout.js";

/** The written run format, and the newest supported one. */
export const runFormat = 1;

/** The environment that must be equal for a resumed run to have the same bits. */
export const environmentPinSchema = z.strictObject({
  device: z.string(),
  threads: z.int(),
  cpu_capability: z.string(),
  /** Vendor of the processor, and its instructions for bfloat16; absent in older runs. */
  processor: z.string().optional(),
  python: z.string(),
  torch: z.string(),
  transformers: z.string(),
  accelerate: z.string(),
  safetensors: z.string(),
  numpy: z.string(),
  platform: z.string(),
  /** Version of the recipe of engine `portable`, whose bits depend on nothing else here; absent for other engines. */
  recipe: z.int().optional(),
});
export type EnvironmentPin = z.output<typeof environmentPinSchema>;

/** What a run records of its corpus. */
export const corpusFactsSchema = z.strictObject({
  /** Several paths are joined by ` + `. */
  path: z.string(),
  /** SHA-256 of the file on disk, or of its prepared text; for several files, of one line `SHA-256 windows` per file. */
  sha256: z.string(),
  /** Bytes of that file. */
  bytes: z.int(),
  /** Number of documents; absent for plain text and token ids. */
  documents: z.int().optional(),
  /** What joins them: text of the tokens; absent if nothing does. */
  joint: z.string().optional(),
  /** Characters, with all newlines as LF; 0 for token ids. */
  characters: z.int(),
  /** Dropped bytes, at or above the vocabulary. */
  filtered: z.int(),
  tokens: z.int(),
  distinct: z.int(),
  dead: z.int(),
  deadTokens: z.array(z.int()),
  /** Number of training windows: training tokens minus the context, or the number of windows without overlap. */
  windows: z.int(),
  /** Several files, with their windows per epoch; absent for one file. */
  files: z.array(z.strictObject({ path: z.string(), sha256: z.string(), bytes: z.int(), tokens: z.int(), weight: z.number(), windows: z.int() })).optional(),
  /** Absent if tokens are bytes. `unreachable` tokens are not restored from their own text; `restored` is false if the corpus is not restored from its tokens. */
  tokenizer: z
    .strictObject({ path: z.string(), sha256: z.string(), vocabulary: z.int(), unreachable: z.array(z.int()), restored: z.literal(false).optional() })
    .optional(),
});
export type CorpusFacts = z.output<typeof corpusFactsSchema>;

/** One resumption of a run. */
const resumeRecordSchema = z.strictObject({
  at: z.string(),
  /** The step of its checkpoint; 0 is the start. */
  from_step: z.int(),
  /** The newest recorded step, up to which steps were recomputed. */
  recorded_step: z.int(),
  /** Whether the recomputed steps were compared with their checksums. */
  exact: z.boolean(),
  /** Differences of the environment, in words. */
  differences: z.array(z.string()),
});

/** A run that died is still `running` here; only its lock shows whether it is running. */
const storedStatuses = ["running", "completed", "stopped", "failed"] as const;
export type StoredStatus = (typeof storedStatuses)[number];

/** `run.json`: the description of a run. */
export const runManifestSchema = z.strictObject({
  format: z.int(),
  /** The oldest reader that understands this run. */
  min_reader: z.int(),
  name: z.string(),
  preset: z.string(),
  status: z.enum(storedStatuses),
  reason: z.string().nullable(),
  created: z.string(),
  ended: z.string().nullable(),
  package_version: z.string(),
  config_hash: z.string(),
  parameters: z.int(),
  environment: environmentPinSchema,
  corpus: corpusFactsSchema,
  /** Absent in runs of earlier versions, whose engine is `trainer`. */
  engine: z.string().optional(),
  /** Processes that share its batches; absent in runs of earlier versions, which use one. */
  processes: z.int().optional(),
  /** Number of batched runs; absent in runs of earlier versions. */
  batched_runs: z.int().optional(),
  /** The method that computes its steps; null before it is chosen, absent in runs of earlier versions. */
  step_method: z.strictObject(stepMethodFields).nullable().optional(),
  /** Seconds of training, all parts of a resumed run together. */
  seconds: z.number(),
  git: gitStateSchema.nullable(),
  resumes: z.array(resumeRecordSchema),
  /** Checkpoint of HF's Trainer whose training state the run started from. */
  start_from: z.string().nullable(),
  /** Changes of the model before training, in words, which the configuration does not contain. */
  model_changes: z.array(z.string()).default([]),
});
export type RunManifest = z.output<typeof runManifestSchema>;

/** The content of `run.json`. */
export function runManifestText(manifest: RunManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export function writeRunManifest(directory: string, manifest: RunManifest): void {
  durableWrite(join(directory, runFiles.manifest), runManifestText(manifest));
}

/** Read `run.json` of a run directory. @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_UNSUPPORTED` for a run of a newer version, `RUN_CORRUPT`. */
export function readRunManifest(directory: string): RunManifest {
  const document = readRunJson(directory, runFiles.manifest);
  const reader = z.object({ min_reader: z.int() }).safeParse(document);
  if (reader.success && reader.data.min_reader > runFormat) {
    throw new BhBridgeError(
      "RUN_UNSUPPORTED",
      `${directory} has run format ${reader.data.min_reader}, this bh-bridge reads up to ${runFormat}: install a newer one`,
    );
  }
  return checkRunJson(directory, runFiles.manifest, z.preprocess(presentManifest, runManifestSchema), document);
}

/** One reproduction of a run. */
const reproductionReceiptSchema = z.strictObject({
  at: z.string(),
  /** The last reproduced step. */
  steps: z.int(),
  /** Whether everything up to it had the same bits. */
  equal: z.boolean(),
  /** Environment of the reproduction. */
  environment: environmentPinSchema,
});

/** Note, tags and reproductions of a run, separate from `run.json`, which a training writes. */
export const runNotesSchema = z.strictObject({
  note: z.string().nullable(),
  tags: z.array(z.string()),
  reproductions: z.array(reproductionReceiptSchema).default([]),
});
export type RunNotes = z.output<typeof runNotesSchema>;

/** The notes of a run, empty if there are none. @throws {BhBridgeError} as `readRunDocument`. */
export function readRunNotes(directory: string): RunNotes {
  return readRunDocument(directory, runFiles.notes, runNotesSchema) ?? { note: null, tags: [], reproductions: [] };
}

/** Store the notes of a run. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function writeRunNotes(directory: string, { note, tags, reproductions = [] }: z.input<typeof runNotesSchema>): void {
  const notes = { note, tags: [...new Set(tags)].sort(), reproductions };
  writeCovered(directory, runFiles.notes, `${JSON.stringify(notes, null, 2)}\n`);
}

/** Identity of the stored notes of a run, which changes with every write; empty if there are none. */
export function notesRevision(directory: string): string {
  const path = join(directory, runFiles.notes);
  return isThere(path) ? createHash("sha256").update(readWhole(path, mostNotesBytes)).digest("hex") : "";
}

/** Notes are typed by hand; each reproduction adds some hundred bytes. */
const mostNotesBytes = 16 * 2 ** 20;

/**
 * Replace the note of a run; an empty text removes it.
 * @param revision of the notes that the writer has seen.
 * @returns false, without writing, if the notes have changed since.
 * @throws {BhBridgeError} as `readRunNotes` and `writeRunNotes`.
 */
export function replaceNote(directory: string, note: string, revision: string): boolean {
  if (notesRevision(directory) !== revision) return false;
  writeRunNotes(directory, { ...readRunNotes(directory), note: note.trim() === "" ? null : note });
  return true;
}

/** The display name of a corpus: the name of its file, or the names of several files with their shares of the windows. */
export function corpusName({ path, files, windows }: Pick<CorpusFacts, "path" | "files" | "windows">): string {
  if (!files) return basename(path);
  return files.map((file) => `${basename(file.path)} (${Number(((100 * file.windows) / windows).toPrecision(3))} %)`).join(", ");
}

/** Display names of the fields. */
const labels: Record<keyof EnvironmentPin, string> = {
  device: "device",
  threads: "CPU threads",
  cpu_capability: "CPU capability",
  processor: "processor",
  python: "Python",
  torch: "PyTorch",
  transformers: "transformers",
  accelerate: "accelerate",
  safetensors: "safetensors",
  numpy: "NumPy",
  platform: "platform",
  recipe: "recipe of engine portable",
};

/** A Linux platform without its kernel's release, which does not affect results: `Linux-6.1.0-x86_64-with-glibc2.36` → `Linux-x86_64-with-glibc2.36`. */
export function withoutKernel(platform: string): string {
  return platform.replace(/^Linux-.*-([^-]+-with-[^-]+)$/, "Linux-$1");
}

/** A field in which two environments differ, with its display name and both values. */
interface PinDifference {
  readonly field: keyof EnvironmentPin;
  readonly label: string;
  readonly before: string;
  readonly now: string;
}

/** Whether two environments are of engine `portable`, of which only the version of the recipe changes bits. */
export function arePortable(...environments: readonly Pick<EnvironmentPin, "recipe">[]): boolean {
  return environments.every(({ recipe }) => recipe !== undefined);
}

/** The fields in which two environments differ, without fields that an older run did not record or that change no bit of it. */
export function differingPinFields(recorded: EnvironmentPin, present: EnvironmentPin): PinDifference[] {
  const fields = (Object.keys(labels) as (keyof EnvironmentPin)[]).filter((field) => (field === "recipe") === arePortable(recorded, present));
  return fields.flatMap((field) => {
    const [before = "", now = ""] = [recorded, present].map((pin) => (field === "platform" ? withoutKernel(pin.platform) : String(pin[field])));
    return before === now || recorded[field] === undefined ? [] : [{ field, label: labels[field], before, now }];
  });
}

/** Differences between the recorded and the present environment in words: `PyTorch 2.13.0 → 2.14.0`. */
export function pinDifferences(recorded: EnvironmentPin, present: EnvironmentPin): string[] {
  return differingPinFields(recorded, present).map(({ label, before, now }) => `${label} ${before} → ${now}`);
}
