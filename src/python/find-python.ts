import { accessSync, constants, existsSync, lstatSync, statSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import envPaths from "env-paths";
import { BhBridgeError } from "../errors.js";
import { packageRoot } from "./package-manifest.js";

/**
 * The folder of the virtual environment that `bh-bridge setup` makes: `.venv` in a checkout, and in the user's data folder for an installed package, whose own
 * folder npm replaces at every update.
 */
export function environmentDirectory(root: string = packageRoot): string {
  const isCheckout = existsSync(join(root, ".git")) || !root.includes(`${sep}node_modules${sep}`);
  return isCheckout ? join(root, ".venv") : join(envPaths("bh-bridge", { suffix: "" }).data, "venv");
}

/** Path of the interpreter of a virtual environment. */
export function interpreterOf(directory: string): string {
  return join(directory, "bin", "python");
}

export type PythonOrigin = "--python" | "config" | "BH_BRIDGE_PYTHON" | "virtual environment" | "conda" | "bh-bridge environment" | "PATH";

/** An interpreter that exists, and where its path came from. */
export interface PythonCandidate {
  /** Absolute path of an executable file. */
  path: string;
  origin: PythonOrigin;
}

/** Declared here, so that programs without `@types/node` can use the declarations of this package. */
type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

export interface FindPythonOptions {
  /** What the user asked for in this very call: a path, or a name to look up in `PATH`. */
  python?: string;
  /** The `python` of a configuration, likewise. */
  config?: string;
  /** As `process.env`. */
  env?: EnvironmentVariables;
  cwd?: string;
  /** Folder of the environment that `bh-bridge setup` makes. */
  environment?: string;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Absent, not to be executed or not to be seen: for a search these are one and the same.
    return false;
  }
}

/** Where `PATH` has a program of this name, in its order. */
export function executablesOnPath(name: string, env: EnvironmentVariables): string[] {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).filter(isExecutableFile);
}

/** What is wrong with a path that was asked for, and what to give instead. */
function reasonAgainst(path: string): string {
  try {
    return reasonSeen(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isHidden = code === "EACCES" || code === "EPERM";
    return isHidden ? "this user may not enter a folder that it lies in, or that it leads to" : `it cannot be looked at (${message})`;
  }
}

function reasonSeen(path: string): string {
  const link = lstatSync(path, { throwIfNoEntry: false });
  if (!link) return "there is no such file";
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file) return "it is a link to a file that is gone; if it belongs to a virtual environment, make that again with: bh-bridge setup --dir FOLDER";
  if (file.isDirectory()) {
    const inside = [interpreterOf(path), join(path, "python3")].find(isExecutableFile);
    return `it is a folder; give the interpreter${inside ? ` in it: ${inside}` : ", for example /usr/bin/python3"}`;
  }
  return "it is not executable";
}

function explicitCandidate(origin: PythonOrigin, wanted: string, env: EnvironmentVariables, cwd: string): PythonCandidate {
  const isName = !wanted.includes("/");
  const path = (isName && executablesOnPath(wanted, env)[0]) || resolve(cwd, wanted);
  if (isExecutableFile(path)) return { path, origin };
  const shown = isName ? `${wanted} (not in PATH, nor in ${cwd})` : path;
  const place = origin === "--python" ? "python (--python on the command line)" : origin === "config" ? 'the "python" of the configuration' : origin;
  throw new BhBridgeError(
    "PYTHON_NOT_FOUND",
    `${place} names ${shown}, but ${reasonAgainst(path)}. Correct it, or leave it out to let bh-bridge find a Python`,
  );
}

/**
 * All interpreters that may be used, in the order of preference: `--python`, the configuration's, `BH_BRIDGE_PYTHON`, the active virtual environment, the
 * active conda environment, the one that `bh-bridge setup` made, `python3`. One that was asked for stands alone: nothing else is meant.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when there is none, or the one that was asked for is not an executable file.
 */
export function pythonCandidates(options: FindPythonOptions = {}): [PythonCandidate, ...PythonCandidate[]] {
  const { env = process.env, cwd = process.cwd(), environment = environmentDirectory() } = options;
  const explicit: [PythonOrigin, string | undefined][] = [
    ["--python", options.python],
    ["config", options.config],
    ["BH_BRIDGE_PYTHON", env["BH_BRIDGE_PYTHON"] || undefined],
  ];
  for (const [origin, wanted] of explicit) {
    if (wanted !== undefined) return [explicitCandidate(origin, wanted, env, cwd)];
  }
  const venv = env["VIRTUAL_ENV"];
  const conda = env["CONDA_PREFIX"];
  const implicit: [PythonOrigin, string | undefined][] = [
    ["virtual environment", venv && interpreterOf(resolve(cwd, venv))],
    ["conda", conda && interpreterOf(conda)],
    ["bh-bridge environment", interpreterOf(environment)],
    ["PATH", executablesOnPath("python3", env)[0] ?? executablesOnPath("python", env)[0]],
  ];
  const [first, ...others] = implicit.flatMap(([origin, path]) => (path && isExecutableFile(path) ? [{ path, origin }] : []));
  if (first) return [first, ...others];
  throw new BhBridgeError(
    "PYTHON_NOT_FOUND",
    'no Python was found: no virtual environment is active, and python3 is not in PATH. Install Python 3.11 or newer (on Debian and Ubuntu: apt install python3 python3-venv), then run "bh-bridge setup"',
  );
}

/**
 * The first interpreter of {@link pythonCandidates}; whether it has what is needed is for `probePython` to say.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when there is none, or the one that was asked for is not an executable file.
 */
export async function findPython(options: FindPythonOptions = {}): Promise<PythonCandidate> {
  return pythonCandidates(options)[0];
}
