import type { ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** pythonia's proxy of the Python module that is called. */
interface EntryModule {
  invoke(op: string, request: string): Promise<string>;
}

/** The part of pythonia in use. Its proxies stay in this file. */
interface Pythonia {
  python: ((module: string) => Promise<EntryModule>) & { setFastMode(on: boolean): void };
  com: { proc: ChildProcess | null };
}

/** The end of the child: its exit, or the error that prevented its start. */
export type TransportEnd = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };

/** A Python process that answers `invoke(op, json)`. */
export interface Transport {
  readonly process: ChildProcess;
  /** Settles once, however the process ends; never rejects. */
  readonly end: Promise<TransportEnd>;
  /** Never settles if Python dies, so callers must also wait for `end`. Rejects if pythonia cannot make the call. */
  invoke(op: string, request: string): Promise<string>;
  /** Let Node exit while nothing is pending. */
  unref(): void;
  ref(): void;
  /** Stop pythonia's own timers, without ending the process. */
  dispose(): void;
}

const require = createRequire(import.meta.url);

/** Run a task with other environment variables; `undefined` removes one. */
function withEnvironment<Value>(variables: Record<string, string | undefined>, task: () => Value): Value {
  const set = (values: Record<string, string | undefined>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  try {
    set(variables);
    return task();
  } finally {
    set(before);
  }
}

/**
 * Load a fresh copy of pythonia, which starts its process when loaded.
 *
 * pythonia stores its process, request numbers and objects in module state. A separate copy isolates bridges in one Node process, and allows a new bridge
 * after a dead one.
 */
function loadPythonia(program: string): { pythonia: Pythonia; timers: { loop: NodeJS.Timeout } } {
  const entry = require.resolve("pythonia");
  const folder = dirname(entry) + sep;
  const globals = globalThis as { __pythonBridge?: { loop: NodeJS.Timeout } };
  const forget = () => {
    for (const file of Object.keys(require.cache)) if (file.startsWith(folder)) delete require.cache[file];
  };
  const settings = {
    PYTHON_BIN: program,
    REQ_TIMEOUT: "0", // no timeout, since a training is one call that takes hours
    DEBUG: undefined, // otherwise pythonia prints every message on stdout, which may carry a JSON document
  };
  forget();
  try {
    const pythonia = withEnvironment(settings, () => require(entry) as Pythonia);
    const timers = globals.__pythonBridge;
    if (!timers) throw new Error("pythonia did not set its bridge: is it another version than 1.2.6?");
    return { pythonia, timers };
  } finally {
    delete globals.__pythonBridge;
    forget(); // so that the copy can be collected with its session
  }
}

/** pythonia's exceptions have no message; the last line of their stack is Python's message. */
function readable(error: unknown): Error {
  const text = error instanceof Error ? error.message || error.stack || error.name : String(error);
  const lines = stripVTControlCharacters(text).trim().split("\n");
  return new Error(lines.at(-1) ?? "", { cause: error });
}

/** Start Python through pythonia. @param program the interpreter, or a launcher of `writeLauncher`. */
export function startTransport(program: string): Transport {
  const { pythonia, timers } = loadPythonia(program);
  const child = pythonia.com.proc;
  if (!child) throw new Error("pythonia started no process");
  // In the same tick as the spawn, so that an error of the spawn is not missed.
  const end = new Promise<TransportEnd>((resolve) => {
    child.on("error", (error) => {
      // An error of a running process is an undelivered signal or message; its exit reports more.
      if (child.pid === undefined) resolve({ error });
    });
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  timers.loop.unref();
  let entry: Promise<EntryModule> | undefined;
  const load = (): Promise<EntryModule> => {
    pythonia.python.setFastMode(true); // without it each reply carries the repr of its value
    return pythonia.python("bh_bridge.entry");
  };
  return {
    process: child,
    end,
    async invoke(op, request) {
      try {
        entry ??= load();
        return await (await entry).invoke(op, request);
      } catch (error) {
        throw readable(error);
      }
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
