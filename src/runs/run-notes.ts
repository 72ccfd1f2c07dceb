import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { writeCovered } from "./checksums.js";
import { runFiles } from "./run-layout.js";
import { environmentPinSchema } from "./run-manifest.js";

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

/** The notes of a run; empty when nobody has written any. @throws {BhBridgeError} `RUN_CORRUPT`. */
export function readRunNotes(directory: string): RunNotes {
  const path = join(directory, runFiles.notes);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { note: null, tags: [], reproductions: [] };
    throw new BhBridgeError("FILE_UNREADABLE", `${path} cannot be read`, { cause });
  }
  try {
    return runNotesSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged; write the notes anew with: bh-bridge runs note`, { cause });
  }
}

/** Keep the notes of a run. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function writeRunNotes(directory: string, { note, tags, reproductions = [] }: z.input<typeof runNotesSchema>): void {
  const notes = { note, tags: [...new Set(tags)].sort(), reproductions };
  writeCovered(directory, runFiles.notes, `${JSON.stringify(notes, null, 2)}\n`);
}
