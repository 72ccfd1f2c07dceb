import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, inject, onTestFinished } from "vitest";

export { warmPython as python } from "../../bridge/real-python.js";

/** Ask the server of reference programs to run one, and wait for its exit code. */
const ask = 'mkfifo "$0/code" && echo "$0" >> "$1" && cat "$0/code"';
/** A test that waits at a stand still cannot be ended by its own time limit; no program that it waits for so takes longer than seconds. */
const timeout = 110_000;

class Question implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "bh-bridge-program-"));
  readonly command: readonly string[] = ["-c", ask, this.#folder, inject("referencePrograms")];

  constructor(program: string, args: readonly string[], cwd: string) {
    writeFileSync(join(this.#folder, "request.json"), JSON.stringify({ program, arguments: args, cwd }));
  }

  printed(code: string): string {
    if (code !== "0") throw new Error(`a reference program ended with ${code}: ${readFileSync(join(this.#folder, "stderr"), "utf8")}`);
    return readFileSync(join(this.#folder, "stdout"), "utf8");
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Run a Python program as `python -c` does, with the libraries imported already; what it prints is the expected value, as JSON. */
export function expectedFrom<Expected>(program: string, ...args: string[]): Expected {
  using question = new Question(program, args, process.cwd());
  return JSON.parse(question.printed(execFileSync("sh", question.command, { encoding: "utf8", timeout })));
}

/** The same for a program that takes its time: what it prints. */
export async function printedBy(program: string, args: readonly string[] = [], cwd: string = process.cwd()): Promise<string> {
  using question = new Question(program, args, cwd);
  const { stdout } = await promisify(execFile)("sh", question.command);
  return question.printed(stdout);
}

/** A directory that is removed after the tests of the calling file, or after the test that asks for it. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "bh-bridge-formats-"));
  // A process that a test killed can leave a child that writes for another moment.
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  try {
    onTestFinished(remove);
  } catch {
    afterAll(remove); // not inside a test, where nobody would hear it
  }
  return directory;
}
