import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterAll } from "vitest";

/** A Node process that runs TypeScript of this project. */
export interface Program {
  child: ChildProcess;
  /** Its first line on stdout. */
  firstLine: Promise<string>;
  /** Everything on stdout, once it has ended. */
  stdout: Promise<string>;
  stderr: Promise<string>;
  /** Exit code and signal. */
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

const loader = pathToFileURL(resolve("scripts/typescript-loader.mjs")).href;

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/**
 * Start a program in a process group of its own.
 *
 * @param file TypeScript file, from the project's root.
 */
export function startProgram(file: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}, cwd: string = process.cwd()): Program {
  const child = spawn(process.execPath, ["--import", loader, resolve(file), ...args], {
    cwd,
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    firstLine: Promise.race([once(lines, "line").then(([line]) => String(line)), ended.then(() => "")]),
    stdout: textOf(child.stdout),
    stderr: textOf(child.stderr),
    ended,
  };
}

/** Whether a process is there and no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
