import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Terminal } from "./terminal.js";

export type KeyActions = Readonly<Record<string, () => void>>;

const ctrl = { "\u0003": "SIGINT", "\u001a": "SIGTSTP", "\u001c": "SIGQUIT" } as const;

/**
 * Run actions on single keys while a command runs in the foreground of a terminal. Ctrl-C, Ctrl-Z and Ctrl-\ keep their usual effect. In the background no
 * key is read, since reading would stop the process. Disposing restores the terminal.
 */
export function listenToKeys(terminal: Terminal, actions: KeyActions): Disposable {
  const { stdin } = process;
  if (!terminal.canAsk || !isInForeground()) return { [Symbol.dispose]: () => undefined };
  const onData = (typed: Buffer) => {
    for (const key of typed.toString()) {
      if (key in ctrl) press(ctrl[key as keyof typeof ctrl]);
      else actions[key.toLowerCase()]?.();
    }
  };
  const press = (signal: (typeof ctrl)[keyof typeof ctrl]) => {
    if (signal === "SIGTSTP") leave();
    process.kill(0, signal); // the whole process group, as the terminal does it
  };
  const listen = () => {
    stdin.off("data", onData).pause();
    if (!isInForeground()) return;
    stdin.setRawMode(false).setRawMode(true); // both calls, because a shell may have changed the mode
    stdin.on("data", onData).resume().unref();
  };
  const leave = () => {
    stdin.off("data", onData).pause();
    if (isInForeground()) stdin.setRawMode(false);
  };
  listen();
  process.on("SIGCONT", listen);
  return {
    [Symbol.dispose]() {
      process.off("SIGCONT", listen);
      leave();
    },
  };
}

/** Whether this process receives the terminal's keys, that is, does not run in the background. */
function isInForeground(): boolean {
  try {
    if (process.platform !== "linux") return execFileSync("ps", ["-o", "stat=", "-p", String(process.pid)], { encoding: "utf8" }).includes("+");
    const [, , group, , , terminalGroup] = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return group === terminalGroup;
  } catch {
    return false;
  }
}
