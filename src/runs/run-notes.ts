import { z } from "zod";
import { writeCovered } from "./checksums.js";
import { readRunDocument } from "./read-run-json.js";
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

/** The notes of a run; empty when nobody has written any. @throws {BhBridgeError} as `readRunDocument`. */
export function readRunNotes(directory: string): RunNotes {
  return readRunDocument(directory, runFiles.notes, runNotesSchema) ?? { note: null, tags: [], reproductions: [] };
}

/** Keep the notes of a run. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function writeRunNotes(directory: string, { note, tags, reproductions = [] }: z.input<typeof runNotesSchema>): void {
  const notes = { note, tags: [...new Set(tags)].sort(), reproductions };
  writeCovered(directory, runFiles.notes, `${JSON.stringify(notes, null, 2)}\n`);
}
