import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { stopOnSignal } from "../../../../src/commands/terminal/stop-on-signal.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { hearStderr } from "../hear-stderr.js";

const listeners = () => [process.listenerCount("SIGINT"), process.listenerCount("SIGTERM"), process.listenerCount("exit")];
const signal = (name: "SIGINT" | "SIGTERM") => process.listeners(name).at(-1)?.(name); // as the process hears it; nobody else of this process must

const said = hearStderr();
const exit = vi.fn();
beforeEach(() => {
  vi.spyOn(process, "exit").mockImplementation(exit as never);
});
afterEach(() => {
  exit.mockReset();
});

test("the first signal aborts and says what it does, the second one ends the program with the signal's code", () => {
  const before = process.listeners("exit");
  {
    using stop = stopOnSignal(new Terminal({ color: false }), { stopping: () => "Stopping the analysis", last: () => "Resume with: x" });
    expect(stop.signal.aborted).toBe(false);
    signal("SIGINT");
    expect(stop.signal.aborted).toBe(true);
    expect(said.text).toBe("Stopping the analysis. Press Ctrl-C again to end at once\n");
    expect(exit).not.toHaveBeenCalled();
    signal("SIGTERM");
    expect(exit).toHaveBeenCalledWith(143);
    expect(said.text).toContain("Resume with: x\n");
  }
  for (const listener of process.listeners("exit")) if (!before.includes(listener)) process.off("exit", listener);
});

test("however the command then ends, its exit code is the signal's", () => {
  const before = process.listeners("exit");
  const code = process.exitCode;
  using _stop = stopOnSignal(new Terminal({ color: false, quiet: true }), { stopping: () => "Stopping" });
  signal("SIGTERM");
  process.exitCode = 1;
  for (const listener of process.listeners("exit")) {
    if (before.includes(listener)) continue;
    listener(1);
    process.off("exit", listener);
  }
  expect(process.exitCode).toBe(143);
  process.exitCode = code;
  expect(said.text).toBe("");
});

test("afterwards signals have their usual effect again", () => {
  const before = listeners();
  stopOnSignal(new Terminal({ color: false }), { stopping: () => "" })[Symbol.dispose]();
  expect(listeners()).toEqual(before);
});
