import type { ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";

/** What is used of pythonia: one function of one Python module. Its proxies go no further than this file. */
interface Pythonia {
  python: ((module: string) => Promise<{ invoke(op: string, request: string): Promise<string> }>) & { setFastMode(on: boolean): void };
  com: { proc: ChildProcess | null };
}

/** How the child came to its end: its exit, or the error that kept it from starting. */
export type TransportEnd = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };

/** A Python process that answers `invoke(op, json)`. */
export interface Transport {
  readonly process: ChildProcess;
  /** Settles once, however the process ends; never rejects. */
  readonly end: Promise<TransportEnd>;
  /** Pending for ever when Python dies: race it against `end`. */
  invoke(op: string, request: string): Promise<string>;
  /** Let Node exit while nothing is pending. */
  unref(): void;
  ref(): void;
  /** Stop pythonia's own timers. The process is not touched. */
  dispose(): void;
}

const require = createRequire(import.meta.url);

/**
 * Load a fresh copy of pythonia, which starts a process of its own as it is loaded.
 *
 * pythonia keeps its process, request numbers and objects in module state, so that a second session would share the first one's. A copy for each keeps
 * two bridges in one Node process apart, and makes a bridge after a dead one possible.
 */
function loadPythonia(program: string): { pythonia: Pythonia; timers: { loop: NodeJS.Timeout } } {
  const entry = require.resolve("pythonia");
  const folder = dirname(entry) + sep;
  const before = { PYTHON_BIN: process.env["PYTHON_BIN"], REQ_TIMEOUT: process.env["REQ_TIMEOUT"] };
  const globals = globalThis as { __pythonBridge?: { loop: NodeJS.Timeout } };
  for (const file of Object.keys(require.cache)) if (file.startsWith(folder)) delete require.cache[file];
  try {
    process.env["PYTHON_BIN"] = program;
    process.env["REQ_TIMEOUT"] = "0"; // no time limit: a training is one call that lasts for hours
    const pythonia = require(entry) as Pythonia;
    const timers = globals.__pythonBridge;
    if (!timers) throw new Error("pythonia did not set its bridge: is it another version than 1.2.6?");
    return { pythonia, timers };
  } finally {
    delete globals.__pythonBridge;
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/**
 * Start Python through pythonia.
 *
 * @param program what to run as the interpreter (see `writeLauncher`).
 */
export function startTransport(program: string): Transport {
  const { pythonia, timers } = loadPythonia(program);
  const child = pythonia.com.proc;
  if (!child) throw new Error("pythonia started no process");
  // In the same tick as the spawn, so that not even an error of the spawn itself goes unheard.
  const end = new Promise<TransportEnd>((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  // A write into a dying child fails on the channel as well; its exit tells more.
  child.on("error", () => undefined);
  timers.loop.unref();
  let entry: Promise<{ invoke(op: string, request: string): Promise<string> }> | undefined;
  return {
    process: child,
    end,
    async invoke(op, request) {
      pythonia.python.setFastMode(true); // without it each reply carries the repr of its value
      entry ??= pythonia.python("bh_bridge.entry");
      return (await entry).invoke(op, request);
    },
    unref() {
      child.unref();
      child.channel?.unref();
    },
    ref() {
      child.ref();
      child.channel?.ref();
    },
    dispose() {
      clearInterval(timers.loop);
    },
  };
}
