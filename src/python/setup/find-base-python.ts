import { BhBridgeError } from "../../errors.js";
import { executablesOnPath, findPython } from "../find-python.js";
import { type PythonReport, probePython } from "../probe-python.js";
import { pythonRequirements } from "../python-requirements.js";
import { versionSatisfies } from "../version-satisfies.js";

/** Newer ones first; names of Pythons that a system may have beside an old `python3`. */
const interpreterNames = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

/**
 * Find the interpreter to make a virtual environment with: the one that was asked for, else the first in `PATH` that is new enough.
 *
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when there is none.
 */
export async function findBasePython(python?: string, signal?: AbortSignal, env: NodeJS.ProcessEnv = process.env): Promise<PythonReport> {
  const range = pythonRequirements().python;
  const paths = python === undefined ? interpreterNames.flatMap((name) => executablesOnPath(name, env)) : [(await findPython({ python, env })).path];
  const unfit: string[] = [];
  const probe = async (path: string): Promise<PythonReport | undefined> => {
    try {
      return await probePython(path, signal);
    } catch (error) {
      // A version manager puts names in PATH that lead nowhere until a version is chosen: the next name may work.
      if (python === undefined && error instanceof BhBridgeError && error.code === "PYTHON_NOT_FOUND") return undefined;
      throw error;
    }
  };
  for (const path of paths) {
    const report = await probe(path);
    if (report && versionSatisfies(report.version, range)) return report;
    if (report) unfit.push(`${path} is ${report.version}`);
  }
  const found = unfit.length > 0 ? unfit.join(", ") : "there is none in PATH";
  throw new BhBridgeError(
    "PYTHON_NOT_FOUND",
    `a virtual environment for bh-bridge needs Python ${range}, but ${found}. Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it with --python`,
  );
}
