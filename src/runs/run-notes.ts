import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { runFiles } from "./run-layout.js";
import { writeCovered } from "./write-covered.js";

/** What a person says of a run: a note and tags. Kept apart from `run.json`, which a training writes. */
export const runNotesSchema = z.strictObject({ note: z.string().nullable(), tags: z.array(z.string()) });
export type RunNotes = z.output<typeof runNotesSchema>;

/** The notes of a run; empty when nobody has written any. @throws {BhBridgeError} `RUN_CORRUPT`. */
export function readRunNotes(directory: string): RunNotes {
  const path = join(directory, runFiles.notes);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { note: null, tags: [] };
    throw new BhBridgeError("FILE_UNREADABLE", `${path} cannot be read`, { cause });
  }
  try {
    return runNotesSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged; write the notes anew with: bh-bridge runs note`, { cause });
  }
}

/** Keep the notes of a run. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function writeRunNotes(directory: string, notes: RunNotes): void {
  const tags = [...new Set(notes.tags)].sort();
  writeCovered(directory, runFiles.notes, `${JSON.stringify({ note: notes.note, tags }, null, 2)}\n`);
}
