import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, execaSync, type Options } from "execa";

/** The folder of the project, with a trailing slash. */
export const projectRoot: string = fileURLToPath(new URL("../../", import.meta.url));
const ours = join(projectRoot, ".venv/bin/python");

/** The interpreter that the tests train with. */
export const python: string = process.env["BH_BRIDGE_PYTHON"] ?? (existsSync(ours) ? ours : "python3");

/** The same, which has imported PyTorch already where vitest started it so (tests/warm): for trainings, where nothing is asked of the process itself. */
export const warmPython: string = process.env["WARM_PYTHON_OF_TESTS"] ?? python;

/** Whether the interpreter of the tests has an optional package. */
export function hasPackage(name: string): boolean {
  const isThere = `import importlib.util, sys; sys.exit(importlib.util.find_spec("${name}") is None)`;
  return execaSync(python, ["-c", isThere], { reject: false }).exitCode === 0;
}

/** The researcher's corpus lies beside the checkouts of those who have it. */
export const researchersCorpus: string = join(projectRoot, "../shared/corpus/training_corpus.txt");

/** A plan is the same with a Python that has no PyTorch: the first steps, which tell how long the rest will take, fail at once and are left out. */
export const withoutTorch = { PYTHONPATH: join(projectRoot, "tests/bridge/light") };

/** Start the built program, with the Python that has imported PyTorch unless `env` names another. */
export function start(args: readonly string[], options: Options = {}) {
  return execa(process.execPath, [join(projectRoot, "dist/cli.js"), ...args], {
    cwd: projectRoot,
    stdin: "ignore",
    reject: false,
    ...options,
    env: { BH_BRIDGE_PYTHON: warmPython, ...options.env },
  });
}

/** Run the built program to its end; both outputs as text. */
export async function run(args: readonly string[], options: Options = {}): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await start(args, options);
  return { exitCode, stdout: String(stdout), stderr: String(stderr) };
}

/** A folder that goes when its owner is disposed of. */
export function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "bh-bridge-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Processes whose environment carries a mark: what a program has left behind. Linux only. */
export async function marked(mark: string): Promise<number[]> {
  const { stdout } = await execa("sh", ["-c", `grep -lz "${mark}" /proc/[0-9]*/environ 2>/dev/null; true`]);
  const ids = stdout.split("\n").flatMap((line) => line.match(/\/proc\/(\d+)\//)?.[1] ?? []);
  return ids.map(Number).filter((id) => id !== process.pid);
}

/** Whether a process still runs; one that has ended and was not yet collected does not. Linux only. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // it is gone
  }
}

/** Wait until a condition holds; false when it does not within the time. */
export async function eventually(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return condition();
}
