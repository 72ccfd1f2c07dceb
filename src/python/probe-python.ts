import { z } from "zod";
import { runPythonScript } from "./run-python-script.js";

/** The packages that the Python side imports; `pyproject.toml` has their ranges. */
export const pythonPackages = ["torch", "transformers", "accelerate", "safetensors", "numpy"] as const;

const reportSchema = z.strictObject({
  version: z.string(),
  executable: z.string(),
  prefix: z.string(),
  platform: z.string(),
  packages: z.record(z.enum(pythonPackages), z.string().nullable()),
});

/** What an interpreter says of itself. */
export interface PythonReport extends z.infer<typeof reportSchema> {
  /** The path that was probed; `executable` is the file that it led to. */
  path: string;
}

/** An interpreter answers in 0.1 s, from a cold network disk in seconds; this stops a script that waits for something else. */
export const probeTimeoutMs = 10_000;

/**
 * Ask an interpreter for its version and its packages, without importing any: about 0.1 s.
 *
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when the path cannot be run, is no Python or does not answer in time; `ABORTED` by the signal.
 */
export async function probePython(path: string, signal?: AbortSignal, timeoutMs: number = probeTimeoutMs): Promise<PythonReport> {
  const answer = await runPythonScript(path, { file: "scripts/probe.py", args: pythonPackages, timeoutMs, signal });
  return { path, ...reportSchema.parse(answer) };
}
