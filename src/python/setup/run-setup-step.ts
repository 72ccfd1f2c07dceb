import { execa } from "execa";
import { BhBridgeError } from "../../errors.js";
import { lastLines } from "../failures.js";
import { executablesOnPath, findPython } from "../find-python.js";
import { versionSatisfies } from "../package-manifest.js";
import { pythonVariables } from "../python-variables.js";
import { type PythonReport, probePython, pythonRequirements } from "../require-packages.js";

/** The present action of pip, in words; `detail` marks those of interest only in a changing status line. */
export interface PipStep {
  text: string;
  detail: boolean;
}

/** `torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl` → `torch 2.13.0`: name and version are the first two parts of a wheel's name (PEP 427). */
function packageOf(file: string): string {
  const [name = file, version = ""] = decodeURIComponent(file.split("/").at(-1) ?? file).split("-");
  return `${name} ${version.replace(/\+.*|\.tar\.gz$/, "")}`.trim();
}

/** Translate a line of pip's output; undefined for a line without news (a progress bar, an indented remark). */
export function describePipLine(line: string): PipStep | undefined {
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

/** Output of pip or venv → meaning and remedy. The first match counts, since a network failure also ends in "no matching distribution". */
const remedies: readonly [RegExp, string][] = [
  [
    /No space left on device|Errno 28\b/,
    "The disk is full: an environment takes about 1.1 GB with a CPU build of torch, 6 GB with CUDA. Free some space, or choose another disk with --dir",
  ],
  [
    /ensurepip is not available|No module named '?(venv|ensurepip)/,
    "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv",
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError/,
    "The package index's certificate is not trusted: behind a proxy that inspects traffic, set PIP_CERT to its certificate",
  ],
  [
    /Temporary failure in name resolution|Name or service not known|nodename nor servname|getaddrinfo failed|Failed to establish a new connection|Network is unreachable|ProxyError|Connection (refused|reset|broken)|ConnectTimeout|timed out/i,
    "The package index cannot be reached: check the network and the proxy (HTTPS_PROXY), or name a mirror with --index-url",
  ],
  [/No matching distribution found/, "The index has no build for this Python and system: try another Python with --python, or another index with --index-url"],
  [/Permission denied|Errno 13\b|Read-only file system/, "The folder cannot be written to: choose another with --dir"],
  [/THESE PACKAGES DO NOT MATCH THE HASHES/, "A download was damaged: run the same command again"],
];

/** The remedy for a failed set-up, from the output of the failed program. */
export function explainSetupFailure(output: string): string {
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1];
  return `${remedy ?? "See the lines above for the reason"}. Run the same command again to continue`;
}

/** Number of pip's last lines in an error: its ERROR lines and their context. */
const quotedLines = 12;

/** Settings for unattended pip: no questions, no advice, and no other target folder from its configuration. */
const pipEnvironment = {
  PIP_NO_INPUT: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_USER: "0",
  PIP_TARGET: undefined,
  PIP_PREFIX: undefined,
  PIP_ROOT: undefined,
};

/**
 * Run one step of the set-up with an interpreter, and report the progress of pip.
 * @throws {BhBridgeError} `SETUP_FAILED` with the last lines of its output and what to do; `ABORTED` by the signal.
 */
export async function runSetupStep(
  interpreter: string,
  args: readonly string[],
  { signal, onStep }: { signal?: AbortSignal | undefined; onStep?: ((step: PipStep) => void) | undefined },
): Promise<void> {
  const watch = function* (line: unknown) {
    const step = describePipLine(String(line));
    if (step) onStep?.(step);
    yield line;
  };
  const result = await execa(interpreter, args, {
    reject: false,
    all: true,
    stdin: "ignore",
    stdout: watch,
    env: { ...pythonVariables(), ...pipEnvironment },
    ...(signal && { cancelSignal: signal }),
  });
  if (!result.failed) return;
  if (result.isCanceled || result.signal === "SIGINT")
    throw new BhBridgeError("ABORTED", "the set-up was stopped. Run the same command again to continue", { cause: result });
  const { exitCode = null, signal: killedBy = null } = result;
  const output = lastLines(result.all, quotedLines);
  const command = `${interpreter} ${args.slice(0, 3).join(" ")}`;
  const quoted = output.map((line) => `  ${line}\n`).join("");
  const message = `"${command}" ended with ${killedBy ?? `exit code ${exitCode}`}:\n${quoted}${explainSetupFailure(result.all)}`;
  throw new BhBridgeError("SETUP_FAILED", message, { cause: result, exit: { exitCode, signal: killedBy, lastLines: output } });
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
  const remedy = "Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it with --python";
  throw new BhBridgeError("PYTHON_NOT_FOUND", `a virtual environment for bh-bridge requires Python ${range}, but ${found}. ${remedy}`);
}
