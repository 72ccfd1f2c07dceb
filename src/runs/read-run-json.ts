import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { containedFile } from "../formats/file-bytes.js";
import { type Json, readJson } from "../formats/read-json.js";
import { isThere, requireRegular } from "./file-types.js";
import { foreignLog, foreignNames } from "./run-layout.js";

/** The list of dead tokens is the longest part: a vocabulary of 250,000 tokens takes 2 MB at most. */
const mostBytes = 16 * 2 ** 20;

/**
 * Read a JSON file that every run has.
 * @throws {BhBridgeError} `RUN_NOT_FOUND` if it cannot be read; `RUN_CORRUPT` if it is not JSON, has a name twice, or is a link out of the run.
 */
export function readRunJson(directory: string, name: string): Json {
  try {
    return readStrictly(directory, name, mostBytes);
  } catch (cause) {
    if (!(cause instanceof BhBridgeError) || cause.code === "RUN_CORRUPT") throw cause;
    requireOwnRun(directory);
    throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: it has no readable ${name}`, { cause });
  }
}

/** @throws {BhBridgeError} `RUN_NOT_FOUND` for a log of another program. */
export function requireOwnRun(directory: string): void {
  const foreign = foreignLog(directory);
  if (foreign === undefined) return;
  const message = `${directory} is a log of ${foreignNames[foreign.kind]}, not a run of bh-bridge. It is read-only: see it with runs, runs show and serve, and compare it with judge`;
  throw new BhBridgeError("RUN_NOT_FOUND", message);
}

/** Read an optional JSON file of a run, undefined if it is missing. @throws {BhBridgeError} `RUN_CORRUPT`, `FILE_UNREADABLE`, `IO_FAILED`. */
export function readRunDocument<Schema extends z.ZodType>(directory: string, name: string, schema: Schema): z.output<Schema> | undefined {
  return isThere(join(directory, name)) ? checkRunJson(directory, name, schema, readStrictly(directory, name)) : undefined;
}

/** Check the content of a JSON file of a run. @throws {BhBridgeError} `RUN_CORRUPT` naming all problems. */
export function checkRunJson<Schema extends z.ZodType>(directory: string, name: string, schema: Schema, value: Json): z.output<Schema> {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  throw new BhBridgeError("RUN_CORRUPT", `${join(directory, name)} is damaged: ${z.prettifyError(checked.error)}`, { cause: checked.error });
}

function readStrictly(directory: string, name: string, most?: number): Json {
  requireRegular(join(directory, name));
  try {
    return readJson(containedFile(directory, name), most);
  } catch (cause) {
    if (!(cause instanceof BhBridgeError) || cause.code !== "FORMAT_INVALID") throw cause;
    throw new BhBridgeError("RUN_CORRUPT", cause.message, { cause });
  }
}
