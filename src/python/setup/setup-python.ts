import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { environmentDirectory, interpreterOf } from "../find-python.js";
import { versionSatisfies } from "../package-manifest.js";
import { type PythonReport, probePython, probeTimeoutMs, pythonRequirements, requirePackages } from "../require-packages.js";
import { runPythonScript } from "../run-python-script.js";
import { findBasePython, type PipStep, runSetupStep } from "./run-setup-step.js";

const answerSchema = z.object({ packages: z.record(z.string(), z.string().nullable()) });

/** Versions of any packages in an interpreter, null for those that are not installed. Throws as `probePython` does. */
export async function installedVersions(path: string, names: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, string | null>> {
  const answer = await runPythonScript(path, { file: "scripts/probe.py", args: [...names], timeoutMs: probeTimeoutMs, signal });
  return new Map(Object.entries(answerSchema.parse(answer).packages));
}

async function entriesOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

/** The folders of a virtual environment that packages are installed into. */
async function sitePackages(directory: string): Promise<string[]> {
  return (await entriesOf(join(directory, "lib"))).map((folder) => join(folder, "site-packages"));
}

/**
 * Make a virtual environment forget the packages whose installation was cut short, so that pip installs them again; return their names.
 *
 * Pip writes INSTALLER after all other files of a package, so a package without it may lack some; its METADATA alone makes pip call it satisfied.
 */
export async function removeInterruptedInstalls(directory: string): Promise<string[]> {
  const removed: string[] = [];
  for (const folder of await sitePackages(directory)) {
    for (const distribution of (await entriesOf(folder)).filter((path) => path.endsWith(".dist-info"))) {
      if ((await readdir(distribution)).includes("INSTALLER")) continue;
      await rm(distribution, { recursive: true });
      removed.push(distribution.slice(folder.length + 1, -".dist-info".length));
    }
  }
  return removed;
}

/** What a folder is to `setup`. A `broken environment` is one that `setup` has begun to make, or whose interpreter has gone: it may be cleared. */
type FolderState = "absent or empty" | "usable environment" | "broken environment" | "foreign";

/** The name that our environments bear at the shell's prompt. It stands in their `pyvenv.cfg`, and shows who made them. */
export const environmentPrompt = "bh-bridge";

/** Look at the folder that an environment is to be made in. @throws {BhBridgeError} `SETUP_FAILED` where this user may not look. */
export function folderState(directory: string): FolderState {
  try {
    return stateSeen(directory);
  } catch (cause) {
    throw new BhBridgeError("SETUP_FAILED", `${directory} cannot be looked at (${(cause as Error).message}): choose another folder with --dir`, { cause });
  }
}

function stateSeen(directory: string): FolderState {
  const entry = statSync(directory, { throwIfNoEntry: false });
  if (!entry) return "absent or empty";
  if (!entry.isDirectory()) return "foreign";
  if (readdirSync(directory).length === 0) return "absent or empty";
  if (!existsSync(join(directory, configFile))) return "foreign";
  if (existsSync(interpreterOf(directory))) return "usable environment";
  return isOurs(directory) ? "broken environment" : "foreign";
}

/** Whether `setup` made an environment: what somebody else has made is added to, and nothing in it is removed. */
function isOurs(directory: string): boolean {
  const prompt = /^prompt\s*=\s*(.*)$/m.exec(readFileSync(join(directory, configFile), "utf8"))?.[1];
  return prompt?.trim().replaceAll(/['"]/g, "") === environmentPrompt;
}

const configFile = "pyvenv.cfg";

/** Which build of torch: `default` and `cuda` are the index's own (on Linux made for CUDA), `cpu` is PyTorch's small CPU build. */
const torchBuilds = ["default", "cpu", "cuda"] as const;

export interface SetupOptions {
  /** Interpreter to make the environment with. */
  python?: string;
  directory?: string;
  /** Package index, in place of the one that pip is configured for. */
  indexUrl?: string;
  torch?: (typeof torchBuilds)[number];
  /** Also install the `dev` extra: what the test suite needs. */
  dev?: boolean;
  signal?: AbortSignal;
  onStep?: (step: PipStep) => void;
}

export interface SetupResult {
  /** `complete` when nothing had to be done, `continued` when the environment was there in part. */
  status: "created" | "continued" | "complete";
  directory: string;
  python: PythonReport;
}

/** PyTorch's own public index of CPU builds: on Linux the default index has only the CUDA build, which is five times as large. */
const torchCpuIndex = "https://download.pytorch.org/whl/cpu";

/** Make the environment, or clear one whose interpreter is gone; a folder that is something else is left alone. */
async function createEnvironment(directory: string, { python, signal, onStep }: SetupOptions): Promise<void> {
  const state = folderState(directory);
  if (state === "foreign") {
    throw new BhBridgeError(
      "SETUP_FAILED",
      `${directory} is neither empty nor a virtual environment that works: choose another folder with --dir, or remove that one`,
    );
  }
  const base = await findBasePython(python, signal);
  onStep?.({ text: `making ${directory} with Python ${base.version}`, detail: false });
  await runSetupStep(base.path, ["-m", "venv", "--prompt", environmentPrompt, ...(state === "broken environment" ? ["--clear"] : []), directory], {
    signal,
    onStep,
  });
}

/** Refuse to install into an environment of a Python that is too old, or another one than was asked for. */
async function checkEnvironmentPython({ version, prefix }: PythonReport, { python, signal }: SetupOptions): Promise<void> {
  const range = pythonRequirements().python;
  const remedy = "Delete that folder and run the same command again, or choose another with --dir";
  if (!versionSatisfies(version, range))
    throw new BhBridgeError("SETUP_FAILED", `${prefix} is an environment of Python ${version}, but ${range} is needed. ${remedy}`);
  if (python === undefined) return;
  const base = await findBasePython(python, signal);
  const minor = (full: string) => full.split(".").slice(0, 2).join(".");
  if (minor(base.version) !== minor(version)) {
    throw new BhBridgeError("SETUP_FAILED", `${prefix} is an environment of Python ${version}, but ${base.path} is ${base.version}. ${remedy}`);
  }
}

/** All that the environment is to have, name → range. */
function wantedPackages(dev: boolean | undefined): ReadonlyMap<string, string> {
  const { packages, devPackages } = pythonRequirements();
  return dev ? new Map([...packages, ...devPackages]) : packages;
}

/** Names of the packages that are absent or out of their range, `pip` among them. */
async function missingPackages(interpreter: string, wanted: ReadonlyMap<string, string>, signal?: AbortSignal): Promise<string[]> {
  const ranges = new Map([["pip", ""], ...wanted]);
  const found = await installedVersions(interpreter, ranges.keys(), signal);
  return [...ranges].flatMap(([name, range]) => {
    const version = found.get(name);
    return version && versionSatisfies(version, range) ? [] : [name];
  });
}

async function installPackages(interpreter: string, wanted: ReadonlyMap<string, string>, missing: readonly string[], options: SetupOptions): Promise<void> {
  const { indexUrl, torch, signal, onStep } = options;
  if (missing.includes("pip")) await runSetupStep(interpreter, ["-m", "ensurepip", "--upgrade", "--default-pip"], { signal, onStep });
  const install = async (names: Iterable<string>, index: string | undefined) => {
    const requirements = [...names].map((name) => `${name}${wanted.get(name) ?? ""}`);
    await runSetupStep(interpreter, ["-m", "pip", "install", ...(index ? ["--index-url", index] : []), ...requirements], { signal, onStep });
  };
  if (torch === "cpu" && missing.includes("torch")) await install(["torch"], torchCpuIndex);
  // All of them, so that pip finds versions that agree with those that are there.
  await install(wanted.keys(), indexUrl);
}

/**
 * Make the virtual environment of bh-bridge and install what `pyproject.toml` asks for. What an earlier call has done is kept, so a call that was stopped or
 * failed is continued by the same call.
 * @throws {BhBridgeError} `SETUP_FAILED` with what pip said and what to do; `PYTHON_NOT_FOUND` when there is no Python to start from; `ABORTED` by the signal.
 */
export async function setupPython(options: SetupOptions = {}): Promise<SetupResult> {
  const { directory = environmentDirectory(), signal } = options;
  const interpreter = interpreterOf(directory);
  const isThere = folderState(directory) === "usable environment";
  if (isThere) {
    if (isOurs(directory)) await removeInterruptedInstalls(directory);
    await checkEnvironmentPython(await probePython(interpreter, signal), options);
  } else {
    await createEnvironment(directory, options);
  }
  const wanted = wantedPackages(options.dev);
  const missing = await missingPackages(interpreter, wanted, signal);
  if (missing.length > 0) await installPackages(interpreter, wanted, missing, options);
  const python = await probePython(interpreter, signal);
  requirePackages(python);
  const status = isThere ? (missing.length > 0 ? "continued" : "complete") : "created";
  return { status, directory, python };
}
