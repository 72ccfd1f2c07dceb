import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { environmentDirectory, executablesOnPath, findPython, interpreterOf } from "../find-python.js";
import { versionSatisfies } from "../package-manifest.js";
import { type PythonReport, probePython, probeTimeoutMs, pythonRequirements, requirePackages } from "../require-packages.js";
import { runPythonScript } from "../run-python-script.js";
import { runSetupStep, type SetupStep } from "./setup-steps.js";
import {
  chooseTorch,
  defaultDownloads,
  downloadEnvironment,
  installEnvironment,
  type TorchBuild,
  torchCpuIndex,
  torchIn,
  type UvSources,
} from "./uv-environment.js";

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

export interface SetupOptions extends Omit<UvSources, "torch"> {
  /** Interpreter for a new environment. */
  python?: string | undefined;
  directory?: string | undefined;
  /** Build of torch (default: `auto`). */
  torch?: TorchBuild | undefined;
  /** Install with uv, which brings its own Python, also if there is a Python. */
  uv?: boolean | undefined;
  /** Folder of downloads to install from, without a network. */
  offline?: string | undefined;
  /** Also install the `dev` extra, which the test suite requires. */
  dev?: boolean | undefined;
}

export interface SetupResult {
  /** `complete` if nothing was missing, `continued` if the environment was incomplete. */
  status: "created" | "continued" | "complete";
  directory: string;
  python: PythonReport;
  /** The program that installed the packages, and why it was chosen; null if nothing was installed. */
  installer: { name: "pip" | "uv"; reason: string } | null;
}

/** `torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl` → `torch 2.13.0`: name and version are the first two parts of a wheel's name (PEP 427). */
export function packageOf(file: string): string {
  const [name = file, version = ""] = decodeURIComponent(file.split("/").at(-1) ?? file).split("-");
  return `${name} ${version.replace(/\+.*|\.tar\.gz$/, "")}`.trim();
}

/** Translate a line of pip's output; undefined for a line without news (a progress bar, an indented remark). */
export function describePipLine(line: string): SetupStep | undefined {
  const [, verb, rest = ""] =
    /^\s*(Collecting|Downloading|Using cached|Processing|Building wheel for|Installing collected packages:|Requirement already satisfied:)\s+(.+)$/.exec(
      line,
    ) ?? [];
  const [first = ""] = rest.split(" ");
  switch (verb) {
    case "Collecting":
      return { text: `looking for ${/^[\w.-]+/.exec(first)?.[0] ?? first}`, detail: true };
    case "Requirement already satisfied:":
      return { text: `${/^[\w.-]+/.exec(first)?.[0] ?? first} is there`, detail: true };
    case "Downloading": {
      // Recent pips first download a wheel's metadata as a separate file.
      if (first.endsWith(".metadata")) return undefined;
      const size = /\((.+)\)$/.exec(rest)?.[1];
      return { text: `downloading ${packageOf(first)}${size ? `, ${size}` : ""}`, detail: !/[MG]B$/.test(size ?? "") };
    }
    case "Using cached":
    case "Processing":
      return first.endsWith(".metadata") ? undefined : { text: `reading ${packageOf(first)}`, detail: false };
    case "Building wheel for":
      return { text: `building ${first}`, detail: false };
    case "Installing collected packages:":
      return { text: `installing ${rest.split(",").length} packages`, detail: false };
    default:
      return undefined;
  }
}

/** Names of Pythons to try, since a system may have a newer one than `python3`. */
const interpreterNames = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

/**
 * Find the interpreter for a new virtual environment: the explicit one, else the first in `PATH` that is new enough.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` if there is none.
 */
export async function findBasePython(python?: string, signal?: AbortSignal, env: NodeJS.ProcessEnv = process.env): Promise<PythonReport> {
  const range = pythonRequirements().python;
  const paths = python === undefined ? interpreterNames.flatMap((name) => executablesOnPath(name, env)) : [(await findPython({ python, env })).path];
  const unfit: string[] = [];
  const probe = async (path: string): Promise<PythonReport | undefined> => {
    try {
      return await probePython(path, signal);
    } catch (error) {
      // A version manager puts names in PATH that do not work until a version is chosen.
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
  const remedy = "Name another with --python, or omit --python: if there is none, uv installs one";
  throw new BhBridgeError("PYTHON_NOT_FOUND", `a virtual environment for bh-bridge requires Python ${range}, but ${found}. ${remedy}`);
}

/** Create the environment with a Python, or clear a broken one. */
async function createEnvironment(directory: string, base: PythonReport, { signal, onStep }: SetupOptions): Promise<void> {
  onStep?.({ text: `making ${directory} with ${base.path} (Python ${base.version})`, detail: false });
  const clear = folderState(directory) === "broken environment" ? ["--clear"] : [];
  await runSetupStep(base.path, ["-m", "venv", "--prompt", environmentPrompt, ...clear, directory], { signal });
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
  const { indexUrl, torchIndexUrl, signal, onStep } = options;
  const onLine = (line: string) => {
    const step = describePipLine(line);
    if (step) onStep?.(step);
  };
  if (missing.includes("pip")) await runSetupStep(interpreter, ["-m", "ensurepip", "--upgrade", "--default-pip"], { signal, onLine });
  const install = async (names: Iterable<string>, args: readonly string[]) => {
    const requirements = [...names].map((name) => `${name}${wanted.get(name) ?? ""}`);
    await runSetupStep(interpreter, ["-m", "pip", "install", ...args, ...requirements], { signal, onLine });
  };
  if (missing.includes("torch") && process.platform === "linux") {
    const { torch, reason } = await chooseTorch(options.torch ?? "auto", signal);
    onStep?.({ text: `torch for ${torch}: ${reason}`, detail: false });
    // Without its dependencies, which an index of torch alone may lack: the next call installs them.
    if (torch === "cpu") await install(["torch"], ["--no-deps", "--index-url", torchIndexUrl ?? torchCpuIndex]);
  }
  // All of them, so that pip finds versions that are compatible with those present.
  await install(wanted.keys(), indexUrl ? ["--index-url", indexUrl] : []);
}

/** How to install: with a Python that can make environments, or else with uv. */
type Installer = { name: "pip"; base: PythonReport | undefined; reason: string } | { name: "uv"; reason: string };

async function chooseInstaller(directory: string, isThere: boolean, { python, uv, offline, signal }: SetupOptions): Promise<Installer> {
  if (offline !== undefined) return { name: "uv", reason: "--offline" };
  if (uv) return { name: "uv", reason: "--uv" };
  if (isThere) {
    if (madeByUv(directory)) return { name: "uv", reason: "uv made this environment" };
    return { name: "pip", base: undefined, reason: "the environment exists" };
  }
  try {
    const base = await findBasePython(python, signal);
    if (python !== undefined || (await makesEnvironments(base.path, signal))) return { name: "pip", base, reason: `Python ${base.version} at ${base.path}` };
    return { name: "uv", reason: `${base.path} lacks the module venv or ensurepip` };
  } catch (error) {
    if (python !== undefined || !(error instanceof BhBridgeError) || error.code !== "PYTHON_NOT_FOUND") throw error;
    return { name: "uv", reason: `no Python ${pythonRequirements().python} in PATH` };
  }
}

/** Whether a Python has what `python -m venv` needs; Debian packages it separately. */
async function makesEnvironments(path: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await runSetupStep(path, ["-c", "import ensurepip, venv"], { signal });
    return true;
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "SETUP_FAILED") return false;
    throw error;
  }
}

/** Whether uv made an environment, which `pyvenv.cfg` records. */
export function madeByUv(directory: string): boolean {
  const path = join(directory, configFile);
  return existsSync(path) && /^uv\s*=/m.test(readFileSync(path, "utf8"));
}

/** Download the locked packages, or take them from a folder, and make the environment with uv. */
async function installWithUv(directory: string, { offline, torch: asked = "auto", ...options }: SetupOptions): Promise<void> {
  if (existsSync(join(directory, configFile)) && !isOurs(directory)) {
    throw new BhBridgeError(
      "SETUP_FAILED",
      `${directory} is an environment that bh-bridge did not make, and uv would replace it: choose another folder with --dir`,
    );
  }
  const torch = offline === undefined ? (await chooseTorch(asked, options.signal)).torch : torchIn(offline);
  if (offline !== undefined && asked !== "auto" && (await chooseTorch(asked, options.signal)).torch !== torch) {
    throw new BhBridgeError("SETUP_FAILED", `${offline} has torch for ${torch}, not for ${asked}: omit --torch, or download again with --torch ${asked}`);
  }
  const folder = offline ?? defaultDownloads();
  if (offline === undefined) await downloadEnvironment(folder, { ...options, torch });
  await installEnvironment(folder, directory, environmentPrompt, { ...options, torch });
  if (offline === undefined) await rm(folder, { recursive: true, force: true });
}

function requireConsistent({ python, uv, offline, dev }: SetupOptions): void {
  if (python !== undefined && (uv || offline !== undefined))
    throw new BhBridgeError("USAGE", `--python and ${uv ? "--uv" : "--offline"} exclude each other: uv brings its own Python`);
  if (dev && offline !== undefined) throw new BhBridgeError("USAGE", "--dev and --offline exclude each other: downloads have no packages of the test suite");
}

/**
 * Create the virtual environment of bh-bridge and install its packages: with pip if there is a Python, or else with uv, which brings its own. Calling it again
 * continues a stopped or failed call.
 * @throws {BhBridgeError} `SETUP_FAILED` with the output of pip or uv and a remedy; `PYTHON_NOT_FOUND` if `python` is none; `USAGE`; `ABORTED` by the signal.
 */
export async function setupPython(options: SetupOptions = {}): Promise<SetupResult> {
  requireConsistent(options);
  const { directory = environmentDirectory(), signal, onStep } = options;
  const interpreter = interpreterOf(directory);
  const state = folderState(directory);
  if (state === "foreign") {
    const message = `${directory} is neither empty nor a working virtual environment: choose another folder with --dir, or remove that one`;
    throw new BhBridgeError("SETUP_FAILED", message);
  }
  const isThere = state === "usable environment";
  const { packages, devPackages } = pythonRequirements();
  const wanted = options.dev ? new Map([...packages, ...devPackages]) : packages;
  const lacking = () => missingPackages(interpreter, wanted, signal);
  if (isThere) {
    if (isOurs(directory)) await removeInterruptedInstalls(directory);
    const python = await probePython(interpreter, signal);
    await checkEnvironmentPython(python, options);
    if ((await lacking()).length === 0) return { status: "complete", directory, python, installer: null };
  }
  const installer = await chooseInstaller(directory, isThere, options);
  if (installer.name === "uv") {
    onStep?.({ text: `installing with uv: ${installer.reason}`, detail: false });
    await installWithUv(directory, options);
  } else if (installer.base) await createEnvironment(directory, installer.base, options);
  const missing = await lacking();
  if (missing.length > 0) await installPackages(interpreter, wanted, missing, options);
  const python = await probePython(interpreter, signal);
  requirePackages(python);
  return { status: isThere ? "continued" : "created", directory, python, installer: { name: installer.name, reason: installer.reason } };
}
