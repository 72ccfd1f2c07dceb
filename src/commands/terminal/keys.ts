import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Terminal } from "./terminal.js";

/** What a key does, by the key. */
export type KeyActions = Readonly<Record<string, () => void>>;

const ctrl = { "\u0003": "SIGINT", "\u001a": "SIGTSTP", "\u001c": "SIGQUIT" } as const;

/**
 * Let single keys act while a command goes on, where somebody sits at a terminal; elsewhere nothing is read. Ctrl-C, Ctrl-Z and Ctrl-\ do what they always
 * do. In the background no key is read, since that would stop the command. Disposing gives the terminal back as it was.
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
    process.kill(0, signal); // the whole group, as the terminal does it: a shell waits for all of it
  };
  const listen = () => {
    stdin.off("data", onData).pause();
    if (!isInForeground()) return;
    stdin.setRawMode(false).setRawMode(true); // both: a shell may have changed it unseen
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

/** Whether the terminal's keys go to this process: not to one that was started with `&`, or sent there. */
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
