import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";

let [out, err] = ["", ""];
beforeEach(() => {
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** All that a command can write, with these options. */
function written(options: Partial<ConstructorParameters<typeof Terminal>[0]>) {
  const terminal = new Terminal({ color: false, ...options });
  terminal.print("a result");
  terminal.say("a message");
  terminal.report({ type: "message", text: "a report" });
  terminal.redraw(["a bar"]);
  terminal.document({ schema: "x@1" });
  return { out, err };
}

test("results go to stdout and messages to stderr; without a terminal nothing is drawn", () => {
  expect(written({})).toEqual({ out: "a result\n", err: "a message\n" });
});

test("with --json stdout has one document and nothing else", () => {
  const { out, err } = written({ json: true });
  expect([JSON.parse(out), err]).toEqual([{ schema: "x@1" }, "a message\n"]);
});

test("with --quiet there are no messages", () => {
  expect(written({ quiet: true })).toEqual({ out: "a result\n", err: "" });
});

test("with --progress json messages are lines of JSON, and numbers that JSON lacks are words", () => {
  const lines = written({ progress: "json" }).err.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual(["a message", "a report"].map((text) => ({ schema: "bh-bridge/progress@1", type: "message", text })));
  err = "";
  new Terminal({ color: false, progress: "json" }).report({ type: "phase", text: "a", seconds: Number.POSITIVE_INFINITY });
  expect(JSON.parse(err).seconds).toBe("Infinity");
});

test("nothing from a file steers a terminal: escape sequences are letters, in texts and in documents", () => {
  const terminal = new Terminal({ color: false });
  terminal.print("\u001b[31mred");
  terminal.say("\u202eturned");
  new Terminal({ color: false, json: true }).document({ schema: "\u009b2J" });
  expect(out + err).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  expect(out).toContain("red");
});

test("on a terminal that redraws, what was drawn is drawn over, and taken away before a message", () => {
  const terminal = Object.assign(new Terminal({ color: false }), { interactive: true });
  terminal.redraw([]); // there is nothing to take away
  expect(err).toBe("");
  terminal.redraw(["one", "two"]);
  terminal.redraw(["x".repeat(500)]);
  terminal.say("a message");
  expect(err).toBe(`\r\u001b[Jone\ntwo\n\u001b[2A\r\u001b[J${"x".repeat(terminal.drawnWidth)}\n\u001b[1A\r\u001b[Ja message\n`);
});
