import { z } from "zod";
import { probeTimeoutMs } from "./probe-python.js";
import { runPythonScript } from "./run-python-script.js";

const answerSchema = z.object({ packages: z.record(z.string(), z.string().nullable()) });

/** Versions of any packages in an interpreter, null for those that are not installed. Throws as `probePython` does. */
export async function installedVersions(path: string, names: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, string | null>> {
  const answer = await runPythonScript(path, { file: "scripts/probe.py", args: [...names], timeoutMs: probeTimeoutMs, signal });
  return new Map(Object.entries(answerSchema.parse(answer).packages));
}
