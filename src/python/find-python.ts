import { accessSync, constants, existsSync, lstatSync, statSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import envPaths from "env-paths";
import { BhBridgeError } from "../errors.js";
import { packageRoot } from "./package-manifest.js";

/**
 * The folder of the virtual environment of `bh-bridge setup`: `.venv` in a checkout. For an installed package it is in the user's data folder, since npm
 * replaces the package's folder at every update.
 */
export function environmentDirectory(root: string = packageRoot): string {
  const isCheckout = existsSync(join(root, ".git")) || !root.includes(`${sep}node_modules${sep}`);
  return isCheckout ? join(root, ".venv") : join(dataFolder(), "venv");
}

/** The folder of this program in the user's data folder. */
export function dataFolder(): string {
  return envPaths("bh-bridge", { suffix: "" }).data;
}

/** Path of the interpreter of a virtual environment. */
export function interpreterOf(directory: string): string {
  return join(directory, "bin", "python");
}

export type PythonOrigin = "--python" | "config" | "BH_BRIDGE_PYTHON" | "virtual environment" | "conda" | "bh-bridge environment" | "PATH";

/** An existing interpreter and the source of its path. */
export interface PythonCandidate {
  /** Absolute path of an executable file. */
  path: string;
  origin: PythonOrigin;
}

/** Declared here, so that programs without `@types/node` can use the declarations of this package. */
type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

export interface FindPythonOptions {
  /** Path of an interpreter, or a name to look up in `PATH`. */
  python?: string;
  /** The same from a configuration. */
  config?: string;
  /** As `process.env`. */
  env?: EnvironmentVariables;
  cwd?: string;
  /** Folder of the environment of `bh-bridge setup`. */
  environment?: string;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Paths of the programs of this name in `PATH`, in its order. */
export function executablesOnPath(name: string, env: EnvironmentVariables): string[] {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).filter(isExecutableFile);
}

/** Why a path is not an interpreter, and what to give instead. */
function reasonAgainst(path: string): string {
  try {
    if (!lstatSync(path, { throwIfNoEntry: false })) return "there is no such file";
    const file = statSync(path, { throwIfNoEntry: false });
    if (!file) return "it links to a missing file; if it belongs to a virtual environment, recreate that with: bh-bridge setup --dir FOLDER";
    if (!file.isDirectory()) return "it is not executable";
    const inside = [interpreterOf(path), join(path, "python3")].find(isExecutableFile);
    return `it is a folder; give the interpreter${inside ? ` in it: ${inside}` : ", for example /usr/bin/python3"}`;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isHidden = code === "EACCES" || code === "EPERM";
    return isHidden ? "this user may not access a folder of its path" : `it cannot be accessed (${message})`;
  }
}

function explicitCandidate(origin: PythonOrigin, wanted: string, env: EnvironmentVariables, cwd: string): PythonCandidate {
  const isName = !wanted.includes("/");
  const path = (isName && executablesOnPath(wanted, env)[0]) || resolve(cwd, wanted);
  if (isExecutableFile(path)) return { path, origin };
  const shown = isName ? `${wanted} (not in PATH, nor in ${cwd})` : path;
  const option = origin === "--python" ? "python (--python on the command line)" : origin === "config" ? 'the "python" of the configuration' : origin;
  const message = `${option} names ${shown}, but ${reasonAgainst(path)}. Correct it, or omit it to let bh-bridge find a Python`;
  throw new BhBridgeError("PYTHON_NOT_FOUND", message);
}

/**
 * The interpreters to try, in order. An explicit one is the only candidate: `--python`, the configuration's, or `BH_BRIDGE_PYTHON`. Otherwise: the active
 * virtual environment, the active conda environment, the environment of `bh-bridge setup`, `python3`.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` if there is none, or the explicit one is not an executable file.
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
    'no Python was found: no virtual environment is active, and python3 is not in PATH. Run "bh-bridge setup", which installs Python 3.11 and all packages into your data folder',
  );
}

/**
 * The first of {@link pythonCandidates}. `probePython` reports its packages.
 * @throws {BhBridgeError} as `pythonCandidates`.
 */
export async function findPython(options: FindPythonOptions = {}): Promise<PythonCandidate> {
  return pythonCandidates(options)[0];
}
