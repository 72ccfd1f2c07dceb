import { BhBridgeError } from "../errors.js";
import { type FindPythonOptions, type PythonCandidate, pythonCandidates } from "./find-python.js";
import { type PythonReport, probePython } from "./probe-python.js";
import { requirePackages } from "./require-packages.js";

/** An interpreter that has all that is needed. */
export interface UsablePython extends PythonCandidate {
  report: PythonReport;
}

/**
 * Find the interpreter to train with: the one that was asked for, else the first candidate that has all packages. So an environment that is
 * active for something else does not hide the one that `bh-bridge setup` made.
 *
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` or `PYTHON_DEPENDENCY_MISSING`, about the first candidate, when none will do; `ABORTED` by the signal.
 */
export async function resolvePython(options: FindPythonOptions = {}, signal?: AbortSignal): Promise<UsablePython> {
  let firstFailure: unknown;
  for (const candidate of pythonCandidates(options)) {
    try {
      const report = await probePython(candidate.path, signal);
      requirePackages(report);
      return { ...candidate, report };
    } catch (error) {
      if (!(error instanceof BhBridgeError) || error.code === "ABORTED") throw error;
      firstFailure ??= error;
    }
  }
  throw firstFailure;
}
