import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { runFiles } from "./run-layout.js";

const versionsSchema = z.object({ packages: z.record(z.string(), z.string().nullable()) });

/**
 * The version of every package that a run's two processes had installed, by `Python package NAME` and `npm package NAME`; none of a process that wrote no
 * environment.
 *
 * @throws {BhBridgeError} `RUN_CORRUPT`.
 */
export function recordedPackages(directory: string): Record<string, string> {
  return { ...versionsIn(directory, runFiles.pythonEnvironment, "Python package"), ...versionsIn(directory, runFiles.nodeEnvironment, "npm package") };
}

function versionsIn(directory: string, file: string, kind: string): Record<string, string> {
  const path = join(directory, file);
  if (!existsSync(path)) return {};
  try {
    const { packages } = versionsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    return Object.fromEntries(Object.entries(packages).flatMap(([name, version]) => (version === null ? [] : [[`${kind} ${name}`, version]])));
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged: ${String(cause)}`, { cause });
  }
}
