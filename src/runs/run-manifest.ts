import { basename, join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { durableWrite } from "../formats/durable-write.js";
import { presentManifest, stepMethodFields } from "../protocol/step-method.js";
import { writeCovered } from "./checksums.js";
import { gitStateSchema } from "./git-state.js";
import { checkRunJson, readRunDocument, readRunJson } from "./read-run-json.js";
import { runFiles } from "./run-layout.js";

/** The run format that is written, and the newest that can be read. */
export const runFormat = 1;

/** What has to be the same for a resumed run to come out with the same bits. */
export const environmentPinSchema = z.strictObject({
  device: z.string(),
  threads: z.int(),
  cpu_capability: z.string(),
  /** Whose processor it is, and its instructions for bfloat16; absent in older runs. */
  processor: z.string().optional(),
  python: z.string(),
  torch: z.string(),
  transformers: z.string(),
  accelerate: z.string(),
  safetensors: z.string(),
  numpy: z.string(),
  platform: z.string(),
});
export type EnvironmentPin = z.output<typeof environmentPinSchema>;

const corpusFactsSchema = z.strictObject({
  /** Of several files their paths, with ` + ` between. */
  path: z.string(),
  /** Of the file's bytes on disk; of several files that of a line `SHA-256 windows` for each. */
  sha256: z.string(),
  /** Bytes on disk. */
  bytes: z.int(),
  /** Characters after newlines became LF. */
  characters: z.int(),
  /** Bytes at or above the vocabulary, which are left out. */
  filtered: z.int(),
  tokens: z.int(),
  distinct: z.int(),
  dead: z.int(),
  deadTokens: z.array(z.int()),
  /** Training windows: tokens that are trained on, less the context; of windows side by side as many as they fill. */
  windows: z.int(),
  /** Each of several files, with the windows that it gives to an epoch; absent where there is one. */
  files: z.array(z.strictObject({ path: z.string(), sha256: z.string(), bytes: z.int(), tokens: z.int(), weight: z.number(), windows: z.int() })).optional(),
  /** What made the tokens; absent where they are bytes. `unreachable` are those that their own text does not come back as. */
  tokenizer: z.strictObject({ path: z.string(), sha256: z.string(), vocabulary: z.int(), unreachable: z.array(z.int()) }).optional(),
});
export type CorpusFacts = z.output<typeof corpusFactsSchema>;

/** One time that a run went on after it had ended early. */
const resumeRecordSchema = z.strictObject({
  at: z.string(),
  /** The step of the checkpoint that it went on from; 0 is the start. */
  from_step: z.int(),
  /** The newest step that had been recorded; the steps up to it were computed again. */
  recorded_step: z.int(),
  /** Whether the recomputed steps were compared with their checksums. */
  exact: z.boolean(),
  /** What was different in the environment, in words. */
  differences: z.array(z.string()),
});

/** `running` is what a run that died still says: whether it lives is told by its lock, not by this file. */
const storedStatuses = ["running", "completed", "stopped", "failed"] as const;
export type StoredStatus = (typeof storedStatuses)[number];

/** `run.json`: what a run is, without its numbers. */
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
  /** What computes its steps; absent in runs of earlier versions, whose engine is `trainer`. */
  engine: z.string().optional(),
  /** Processes that share its batches; absent in runs of earlier versions, which are of one. */
  processes: z.int().optional(),
  /** Runs whose products are computed together; absent in runs of earlier versions, each of which was computed alone. */
  batched_runs: z.int().optional(),
  /** The method that computes its steps; null before that is known, absent in runs of earlier versions. */
  step_method: z.strictObject(stepMethodFields).nullable().optional(),
  /** Seconds of training, all parts of a resumed run together. */
  seconds: z.number(),
  git: gitStateSchema.nullable(),
  /** Every time that the run was resumed. */
  resumes: z.array(resumeRecordSchema),
  /** Checkpoint of HF's Trainer whose training state the run began with. */
  start_from: z.string().nullable(),
  /** What a program had done to the model since it was built, in words: the configuration alone does not make the run's first state. */
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

/** One time that a run was trained again, to see whether it comes out the same. */
const reproductionReceiptSchema = z.strictObject({
  at: z.string(),
  /** The last step that was trained again. */
  steps: z.int(),
  /** Whether everything up to it had the same bits. */
  equal: z.boolean(),
  /** Where it was trained again. */
  environment: environmentPinSchema,
});

/** What is said of a run when it has ended: a note, tags, receipts of reproductions. Kept apart from `run.json`, which a training writes. */
export const runNotesSchema = z.strictObject({
  note: z.string().nullable(),
  tags: z.array(z.string()),
  reproductions: z.array(reproductionReceiptSchema).default([]),
});
export type RunNotes = z.output<typeof runNotesSchema>;

/** The notes of a run; empty when nobody has written any. @throws {BhBridgeError} as `readRunDocument`. */
export function readRunNotes(directory: string): RunNotes {
  return readRunDocument(directory, runFiles.notes, runNotesSchema) ?? { note: null, tags: [], reproductions: [] };
}

/** Keep the notes of a run. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function writeRunNotes(directory: string, { note, tags, reproductions = [] }: z.input<typeof runNotesSchema>): void {
  const notes = { note, tags: [...new Set(tags)].sort(), reproductions };
  writeCovered(directory, runFiles.notes, `${JSON.stringify(notes, null, 2)}\n`);
}

const percent = 100;
/** Of a share's percentage. */
const digits = 3;

/** A corpus for people, without folders: the name of its file; of several their names, each with its share of the windows. */
export function corpusName({ path, files, windows }: Pick<CorpusFacts, "path" | "files" | "windows">): string {
  if (!files) return basename(path);
  return files.map((file) => `${basename(file.path)} (${Number(((percent * file.windows) / windows).toPrecision(digits))} %)`).join(", ");
}

/** What a person calls a field of the pin. */
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
};

/** A Linux platform without its kernel's release, which computes nothing: `Linux-6.1.0-x86_64-with-glibc2.36` → `Linux-x86_64-with-glibc2.36`. */
export function withoutKernel(platform: string): string {
  return platform.replace(/^Linux-.*-([^-]+-with-[^-]+)$/, "Linux-$1");
}

/** A field of the pin in which two environments differ, as a person calls it, and what it is in both. */
interface PinDifference {
  readonly field: keyof EnvironmentPin;
  readonly label: string;
  readonly before: string;
  readonly now: string;
}

/** The fields in which two environments differ in what they compute; of one that an older run does not tell, nothing is said. */
export function differingPinFields(recorded: EnvironmentPin, present: EnvironmentPin): PinDifference[] {
  return (Object.keys(labels) as (keyof EnvironmentPin)[]).flatMap((field) => {
    const [before = "", now = ""] = [recorded, present].map((pin) => (field === "platform" ? withoutKernel(pin.platform) : String(pin[field])));
    return before === now || recorded[field] === undefined ? [] : [{ field, label: labels[field], before, now }];
  });
}

/** What differs between the environment that a run was recorded in and the present one, in words: `PyTorch 2.13.0 → 2.14.0`. */
export function pinDifferences(recorded: EnvironmentPin, present: EnvironmentPin): string[] {
  return differingPinFields(recorded, present).map(({ label, before, now }) => `${label} ${before} → ${now}`);
}
