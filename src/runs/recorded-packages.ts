import { z } from "zod";
import { readRunDocument } from "./read-run-json.js";
import { runFiles } from "./run-layout.js";

const versionsSchema = z.object({ packages: z.record(z.string(), z.string().nullable()) });

/**
 * The version of every package that a run's two processes had installed, by `Python package NAME` and `npm package NAME`; none of a process that wrote no
 * environment.
 *
 * @throws {BhBridgeError} as `readRunDocument`.
 */
export function recordedPackages(directory: string): Record<string, string> {
  return { ...versionsIn(directory, runFiles.pythonEnvironment, "Python package"), ...versionsIn(directory, runFiles.nodeEnvironment, "npm package") };
}

function versionsIn(directory: string, file: string, kind: string): Record<string, string> {
  const { packages } = readRunDocument(directory, file, versionsSchema) ?? { packages: {} };
  return Object.fromEntries(Object.entries(packages).flatMap(([name, version]) => (version === null ? [] : [[`${kind} ${name}`, version]])));
}
