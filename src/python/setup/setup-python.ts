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

/** Versions of packages in an interpreter, null for those not installed. @throws {BhBridgeError} as `probePython`. */
export async function installedVersions(path: string, names: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, string | null>> {
  const answer = await runPythonScript(path, { file: "scripts/probe.py", args: [...names], timeoutMs: probeTimeoutMs, signal });
  return new Map(Object.entries(answerSchema.parse(answer).packages));
}

async function entriesOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

/**
 * Remove the metadata of packages whose installation was interrupted, so that pip reinstalls them; return their names.
 *
 * pip writes INSTALLER after all other files of a package, so a package without it may be incomplete. Its METADATA would satisfy pip nevertheless.
 */
export async function removeInterruptedInstalls(directory: string): Promise<string[]> {
  const removed: string[] = [];
  for (const folder of (await entriesOf(join(directory, "lib"))).map((library) => join(library, "site-packages"))) {
    for (const distribution of (await entriesOf(folder)).filter((path) => path.endsWith(".dist-info"))) {
      if ((await readdir(distribution)).includes("INSTALLER")) continue;
      await rm(distribution, { recursive: true });
      removed.push(distribution.slice(folder.length + 1, -".dist-info".length));
    }
  }
  return removed;
}

/** A `broken environment` is incomplete or has lost its interpreter; `setup` may clear it. */
type FolderState = "absent or empty" | "usable environment" | "broken environment" | "foreign";

/** The prompt of environments made by `setup`, which identifies them in `pyvenv.cfg`. */
export const environmentPrompt = "bh-bridge";

/** The state of the folder for an environment. @throws {BhBridgeError} `SETUP_FAILED` if this user may not access it. */
export function folderState(directory: string): FolderState {
  try {
    const entry = statSync(directory, { throwIfNoEntry: false });
    if (!entry) return "absent or empty";
    if (!entry.isDirectory()) return "foreign";
    if (readdirSync(directory).length === 0) return "absent or empty";
    if (!existsSync(join(directory, configFile))) return "foreign";
    if (existsSync(interpreterOf(directory))) return "usable environment";
    return isOurs(directory) ? "broken environment" : "foreign";
  } catch (cause) {
    throw new BhBridgeError("SETUP_FAILED", `${directory} cannot be accessed (${(cause as Error).message}): choose another folder with --dir`, { cause });
  }
}

/** Whether `setup` made an environment. Packages are added to any environment, but removed only from its own. */
function isOurs(directory: string): boolean {
  const prompt = /^prompt\s*=\s*(.*)$/m.exec(readFileSync(join(directory, configFile), "utf8"))?.[1];
  return prompt?.trim().replaceAll(/['"]/g, "") === environmentPrompt;
}

const configFile = "pyvenv.cfg";

export interface SetupOptions {
  /** Interpreter for a new environment. */
  python?: string;
  directory?: string;
  /** Package index (default: the one configured for pip). */
  indexUrl?: string;
  /** Build of torch: `default` and `cuda` are the index's own (on Linux for CUDA), `cpu` is PyTorch's small CPU build. */
  torch?: "default" | "cpu" | "cuda";
  /** Also install the `dev` extra, which the test suite requires. */
  dev?: boolean;
  signal?: AbortSignal;
  onStep?: (step: PipStep) => void;
}

export interface SetupResult {
  /** `complete` if nothing was missing, `continued` if the environment was incomplete. */
  status: "created" | "continued" | "complete";
  directory: string;
  python: PythonReport;
}

/** PyTorch's public index of CPU builds. On Linux the default index has only the CUDA build, which is five times as large. */
const torchCpuIndex = "https://download.pytorch.org/whl/cpu";

/** Create the environment, or clear a broken one. A foreign folder is refused. */
async function createEnvironment(directory: string, { python, signal, onStep }: SetupOptions): Promise<void> {
  const state = folderState(directory);
  if (state === "foreign") {
    const message = `${directory} is neither empty nor a working virtual environment: choose another folder with --dir, or remove that one`;
    throw new BhBridgeError("SETUP_FAILED", message);
  }
  const base = await findBasePython(python, signal);
  onStep?.({ text: `making ${directory} with Python ${base.version}`, detail: false });
  const clear = state === "broken environment" ? ["--clear"] : [];
  await runSetupStep(base.path, ["-m", "venv", "--prompt", environmentPrompt, ...clear, directory], { signal, onStep });
}

/** Refuse an environment whose Python is too old, or not the requested one. */
async function checkEnvironmentPython({ version, prefix }: PythonReport, { python, signal }: SetupOptions): Promise<void> {
  const range = pythonRequirements().python;
  const remedy = "Delete that folder and run the same command again, or choose another with --dir";
  if (!versionSatisfies(version, range))
    throw new BhBridgeError("SETUP_FAILED", `${prefix} is an environment of Python ${version}, but ${range} is required. ${remedy}`);
  if (python === undefined) return;
  const base = await findBasePython(python, signal);
  const minor = (full: string) => full.split(".").slice(0, 2).join(".");
  if (minor(base.version) !== minor(version)) {
    throw new BhBridgeError("SETUP_FAILED", `${prefix} is an environment of Python ${version}, but ${base.path} is ${base.version}. ${remedy}`);
  }
}

/** Names of the packages that are missing or outside their range, including `pip`. */
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
  // All of them, so that pip finds versions that are compatible with those present.
  await install(wanted.keys(), indexUrl);
}

/**
 * Create the virtual environment of bh-bridge and install the packages of `pyproject.toml`. Calling it again continues a stopped or failed call.
 * @throws {BhBridgeError} `SETUP_FAILED` with pip's output and a remedy; `PYTHON_NOT_FOUND` if there is no Python for the environment; `ABORTED` by the signal.
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
  const { packages, devPackages } = pythonRequirements();
  const wanted = options.dev ? new Map([...packages, ...devPackages]) : packages;
  const missing = await missingPackages(interpreter, wanted, signal);
  if (missing.length > 0) await installPackages(interpreter, wanted, missing, options);
  const python = await probePython(interpreter, signal);
  requirePackages(python);
  const status = isThere ? (missing.length > 0 ? "continued" : "complete") : "created";
  return { status, directory, python };
}
