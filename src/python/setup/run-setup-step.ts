import { execa } from "execa";
import { BhBridgeError } from "../../errors.js";
import { lastLines } from "../failures.js";
import { executablesOnPath, findPython } from "../find-python.js";
import { versionSatisfies } from "../package-manifest.js";
import { pythonVariables } from "../python-variables.js";
import { type PythonReport, probePython, pythonRequirements } from "../require-packages.js";

/** What pip is at, in words; `detail` is of interest only to who watches the line change. */
export interface PipStep {
  text: string;
  detail: boolean;
}

/** `torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl` → `torch 2.13.0`: name and version are the first two parts of a wheel's name (PEP 427). */
function packageOf(file: string): string {
  const [name = file, version = ""] = decodeURIComponent(file.split("/").at(-1) ?? file).split("-");
  return `${name} ${version.replace(/\+.*|\.tar\.gz$/, "")}`.trim();
}

/** Translate a line of pip's output; undefined for a line that says nothing new (a bar, an indented remark). */
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
      // Recent pips fetch a wheel's metadata first, in a file of its own.
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

/** What pip or venv says → what it means and what to do. The first that fits counts: a network failure also ends in "no matching distribution". */
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

/** What to do about a failed set-up, from what the failed program said. */
export function explainSetupFailure(output: string): string {
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1];
  return `${remedy ?? "See the lines above for the reason"}. Run the same command again to continue`;
}

/** So many last lines of pip go into an error: its ERROR lines and what led to them. */
const quotedLines = 12;

/** pip as a program for a program: no questions, no advice, and no other place to install to, which a configuration may name. */
const pipEnvironment = {
  PIP_NO_INPUT: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_USER: "0",
  PIP_TARGET: undefined,
  PIP_PREFIX: undefined,
  PIP_ROOT: undefined,
};

/**
 * Run one step of the set-up with an interpreter, telling what pip is at.
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
  const said = lastLines(result.all, quotedLines);
  const command = args.slice(0, 3).join(" ");
  throw new BhBridgeError(
    "SETUP_FAILED",
    [
      `"${interpreter} ${command}" ended with ${killedBy ?? `exit code ${exitCode}`}:`,
      ...said.map((line) => `  ${line}`),
      explainSetupFailure(result.all),
    ].join("\n"),
    {
      cause: result,
      exit: { exitCode, signal: killedBy, lastLines: said },
    },
  );
}

/** Newer ones first; names of Pythons that a system may have beside an old `python3`. */
const interpreterNames = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

/**
 * Find the interpreter to make a virtual environment with: the one that was asked for, else the first in `PATH` that is new enough.
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
