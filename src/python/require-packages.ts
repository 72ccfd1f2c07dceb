import { BhBridgeError } from "../errors.js";
import { interpreterOf } from "./interpreter-of.js";
import { type PythonReport, pythonPackages } from "./probe-python.js";
import { pythonRequirements } from "./python-requirements.js";
import { versionSatisfies } from "./version-satisfies.js";

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
 *
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
