import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { type FindPythonOptions, interpreterOf, type PythonCandidate, pythonCandidates } from "./find-python.js";
import { packageRoot, versionSatisfies } from "./package-manifest.js";
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
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when the path cannot be run, is no Python or does not answer in time; `ABORTED` by the signal.
 */
export async function probePython(path: string, signal?: AbortSignal, timeoutMs: number = probeTimeoutMs): Promise<PythonReport> {
  const answer = await runPythonScript(path, { file: "scripts/probe.py", args: pythonPackages, timeoutMs, signal });
  return { path, ...reportSchema.parse(answer) };
}

/** What `pyproject.toml` asks of an interpreter. */
interface PythonRequirements {
  /** The range of Python itself, for example `>=3.11`. */
  python: string;
  /** Package name → range, for example `transformers` → `>=5.4,<5.25`; in the file's order. */
  packages: ReadonlyMap<string, string>;
  /** The same for the tools of the `dev` extra, which only a checkout needs. */
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

/** Read `pyproject.toml`, the one place that says which Python and which packages are accepted. */
export function pythonRequirements(path: string = join(packageRoot, "pyproject.toml")): PythonRequirements {
  const { project } = pyprojectSchema.parse(parse(readFileSync(path, "utf8")));
  return {
    python: project["requires-python"],
    packages: new Map(project.dependencies),
    devPackages: new Map(project["optional-dependencies"].dev),
  };
}

/** One thing asked of an interpreter, and whether it has it. */
export interface RequirementCheck {
  /** `Python`, or the name of a package. */
  name: string;
  ok: boolean;
  /** The version, null for a package that is not installed. */
  found: string | null;
  /** A range, for example `>=5.4,<5.25`. */
  expected: string;
}

/** Compare what an interpreter has with what `pyproject.toml` asks for: Python first, then its packages. */
export function checkRequirements(report: PythonReport): RequirementCheck[] {
  const requirements = pythonRequirements();
  const check = (name: string, found: string | null, expected: string): RequirementCheck => ({
    name,
    found,
    expected,
    ok: found !== null && versionSatisfies(found, expected),
  });
  return [
    check("Python", report.version, requirements.python),
    ...pythonPackages.map((name) => check(name, report.packages[name], requirements.packages.get(name) ?? "")),
  ];
}

const conjunction = new Intl.ListFormat("en", { type: "conjunction" });

/** A requirement as a shell takes it: quoted where its range has characters that the shell would read. */
function shellRequirement({ name, expected, found }: RequirementCheck): string {
  return found === null && !expected.includes("<") ? name : `"${name}${expected}"`;
}

/** The command that puts the packages into this very interpreter. */
export function installCommand(report: PythonReport, checks: readonly RequirementCheck[]): string {
  const python = /[^\w./+-]/.test(report.path) ? `"${report.path}"` : report.path;
  return `${python} -m pip install ${checks.map(shellRequirement).join(" ")}`;
}

/** Where the packages of an interpreter live: the folder of its environment where it has one, else the interpreter itself. */
function placeOf(report: PythonReport): string {
  return report.path === interpreterOf(report.prefix) ? report.prefix : report.path;
}

/**
 * Make sure that an interpreter and its packages are in the ranges of `pyproject.toml`.
 * @throws {BhBridgeError} `PYTHON_DEPENDENCY_MISSING`, naming all that is missing, too old or too new, and how to mend it.
 */
export function requirePackages(report: PythonReport): void {
  const wrong = checkRequirements(report).filter((check) => !check.ok);
  if (wrong.length === 0) return;
  const [python] = wrong.filter(({ name }) => name === "Python");
  const packages = wrong.filter(({ name }) => name !== "Python");
  const missing = packages.filter(({ found }) => found === null).map(({ name }) => name);
  const outside = packages.filter(({ found }) => found !== null).map(({ name, found, expected }) => `${name} ${found} (not ${expected})`);
  const where = `in ${placeOf(report)} (Python ${report.version})`;
  const sentences = [
    python && `Python ${python.found} in ${placeOf(report)} is not ${python.expected}, which bh-bridge needs`,
    missing.length > 0 && `${conjunction.format(missing)} ${missing.length === 1 ? "is" : "are"} not installed ${where}`,
    outside.length > 0 && `${conjunction.format(outside)} ${where}: ${outside.length === 1 ? "a version" : "versions"} that bh-bridge was not made for`,
  ].filter((sentence) => typeof sentence === "string");
  const remedy = python
    ? `Run "bh-bridge setup --python PATH" with the path of a Python ${python.expected}`
    : `Run "bh-bridge setup", or install ${packages.length === 1 ? "it" : "them"} there with: ${installCommand(report, packages)}`;
  throw new BhBridgeError("PYTHON_DEPENDENCY_MISSING", `${sentences.join("; ")}. ${remedy}`, {
    issues: wrong.map(({ name, found, expected }) => ({
      path: name,
      message: found === null ? `not installed, ${expected} is needed` : `${found} is not ${expected}`,
    })),
  });
}

/** An interpreter that has all that is needed. */
export interface UsablePython extends PythonCandidate {
  report: PythonReport;
}

/**
 * Find the interpreter to train with: the one that was asked for, else the first candidate that has all packages. So an environment that is active for
 * something else does not hide the one that `bh-bridge setup` made.
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
