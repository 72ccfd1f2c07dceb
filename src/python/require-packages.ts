import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { type FindPythonOptions, interpreterOf, type PythonCandidate, pythonCandidates } from "./find-python.js";
import { packageRoot, versionSatisfies } from "./package-manifest.js";
import { runPythonScript } from "./run-python-script.js";

/** The packages that the Python side imports; `pyproject.toml` has their version ranges. */
export const pythonPackages = ["torch", "transformers", "accelerate", "safetensors", "numpy"] as const;

const reportSchema = z.strictObject({
  version: z.string(),
  executable: z.string(),
  prefix: z.string(),
  platform: z.string(),
  packages: z.record(z.enum(pythonPackages), z.string().nullable()),
});

/** Versions and paths of an interpreter. */
export interface PythonReport extends z.infer<typeof reportSchema> {
  /** The probed path; `executable` is the file that it resolves to. */
  path: string;
}

/** An interpreter answers in 0.1 s, and within seconds from a cold network disk. */
export const probeTimeoutMs = 10_000;

/**
 * Report version and packages of an interpreter, without importing any: about 0.1 s.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` if the path cannot be run, is not a Python or does not answer in time; `ABORTED` by the signal.
 */
export async function probePython(path: string, signal?: AbortSignal, timeoutMs: number = probeTimeoutMs): Promise<PythonReport> {
  const answer = await runPythonScript(path, { file: "scripts/probe.py", args: pythonPackages, timeoutMs, signal });
  return { path, ...reportSchema.parse(answer) };
}

/** The requirements of `pyproject.toml`. */
interface PythonRequirements {
  /** Range of Python itself, for example `>=3.11`. */
  python: string;
  /** Package name → range, for example `transformers` → `>=5.4,<5.25`; in the file's order. */
  packages: ReadonlyMap<string, string>;
  /** The same for the `dev` extra, which only a checkout requires. */
  devPackages: ReadonlyMap<string, string>;
}

const requirementPattern = /^([A-Za-z0-9._-]+)\s*(.*)$/;

const requirementSchema = z.string().transform((text, context): [string, string] => {
  const [, name, range] = requirementPattern.exec(text) ?? [];
  if (name !== undefined && range !== undefined) return [name, range];
  context.addIssue({ code: "custom", message: `"${text}" is not a requirement such as "torch>=2.7"` });
  return z.NEVER;
});

const pyprojectSchema = z.object({
  project: z.object({
    "requires-python": z.string(),
    dependencies: z.array(requirementSchema),
    "optional-dependencies": z.object({ dev: z.array(requirementSchema) }),
  }),
});

/** Read `pyproject.toml`, the only source of the accepted versions. */
export function pythonRequirements(path: string = join(packageRoot, "pyproject.toml")): PythonRequirements {
  const { project } = pyprojectSchema.parse(parse(readFileSync(path, "utf8")));
  return {
    python: project["requires-python"],
    packages: new Map(project.dependencies),
    devPackages: new Map(project["optional-dependencies"].dev),
  };
}

/** One requirement, and whether an interpreter satisfies it. */
export interface RequirementCheck {
  /** `Python`, or the name of a package. */
  name: string;
  ok: boolean;
  /** Version, null for a package that is not installed. */
  found: string | null;
  /** A range, for example `>=5.4,<5.25`. */
  expected: string;
}

/** Check an interpreter against `pyproject.toml`: Python first, then its packages. */
export function checkRequirements(report: PythonReport): RequirementCheck[] {
  const requirements = pythonRequirements();
  const check = (name: string, found: string | null, expected: string): RequirementCheck => {
    return { name, found, expected, ok: found !== null && versionSatisfies(found, expected) };
  };
  return [
    check("Python", report.version, requirements.python),
    ...pythonPackages.map((name) => check(name, report.packages[name], requirements.packages.get(name) ?? "")),
  ];
}

const conjunction = new Intl.ListFormat("en", { type: "conjunction" });

/** A requirement for a shell command, quoted if its range has special characters. */
function shellRequirement({ name, expected, found }: RequirementCheck): string {
  return found === null && !expected.includes("<") ? name : `"${name}${expected}"`;
}

/** The command that installs the packages for this interpreter. */
export function installCommand(report: PythonReport, checks: readonly RequirementCheck[]): string {
  const python = /[^\w./+-]/.test(report.path) ? `"${report.path}"` : report.path;
  return `${python} -m pip install ${checks.map(shellRequirement).join(" ")}`;
}

/**
 * Require that an interpreter and its packages satisfy `pyproject.toml`.
 * @throws {BhBridgeError} `PYTHON_DEPENDENCY_MISSING`, naming everything that is missing, too old or too new, and the remedy.
 */
export function requirePackages(report: PythonReport): void {
  const wrong = checkRequirements(report).filter((check) => !check.ok);
  if (wrong.length === 0) return;
  const [python] = wrong.filter(({ name }) => name === "Python");
  const packages = wrong.filter(({ name }) => name !== "Python");
  const missing = packages.filter(({ found }) => found === null).map(({ name }) => name);
  const outside = packages.filter(({ found }) => found !== null).map(({ name, found, expected }) => `${name} ${found} (not ${expected})`);
  const location = report.path === interpreterOf(report.prefix) ? report.prefix : report.path; // the folder of a virtual environment
  const where = `in ${location} (Python ${report.version})`;
  const sentences = [
    python && `Python ${python.found} in ${location} is not ${python.expected}, which bh-bridge requires`,
    missing.length > 0 && `${conjunction.format(missing)} ${missing.length === 1 ? "is" : "are"} not installed ${where}`,
    outside.length > 0 && `${conjunction.format(outside)} ${where}: ${outside.length === 1 ? "a version" : "versions"} that bh-bridge does not support`,
  ].filter((sentence) => typeof sentence === "string");
  const remedy = python
    ? `Run "bh-bridge setup --python PATH" with the path of a Python ${python.expected}`
    : `Run "bh-bridge setup", or install ${packages.length === 1 ? "it" : "them"} there with: ${installCommand(report, packages)}`;
  const messageOf = ({ found, expected }: RequirementCheck) => (found === null ? `not installed, ${expected} is required` : `${found} is not ${expected}`);
  const issues = wrong.map((check) => ({ path: check.name, message: messageOf(check) }));
  throw new BhBridgeError("PYTHON_DEPENDENCY_MISSING", `${sentences.join("; ")}. ${remedy}`, { issues });
}

/** An interpreter that satisfies all requirements. */
export interface UsablePython extends PythonCandidate {
  report: PythonReport;
}

/**
 * Find the interpreter to train with: the explicit one, else the first candidate that has all packages. So an unrelated active environment does not hide the
 * one of `bh-bridge setup`.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` or `PYTHON_DEPENDENCY_MISSING` about the first candidate, if none is usable; `ABORTED` by the signal.
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
