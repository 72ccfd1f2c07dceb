import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { progressLineSchema } from "../../../../src/commands/terminal/terminal-documents.js";

afterEach(() => vi.restoreAllMocks());

/** What is written to stderr meanwhile. */
function written(act: () => void): string {
  let text = "";
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  act();
  return text;
}

const event = { seq: 1, mono: 1, wall: 1, type: "step_end", global_step: 1, epoch: null, loss: Number.NaN } as const;

test("numbers that JSON lacks are text in the line, and numbers again where the schema has read it", () => {
  const line = written(() => new Terminal({ color: true, progress: "json" }).report({ type: "train", event }));
  expect(JSON.parse(line).event.loss).toBe("NaN");
  expect(progressLineSchema.parse(JSON.parse(line))).toEqual({ schema: "bh-bridge/progress@1", type: "train", event });
});

test("a message of several lines is one line of JSON, and what could steer a terminal is escaped in it", () => {
  const line = written(() => new Terminal({ color: true, progress: "json" }).say("first\nsecond \u001b[2J"));
  expect(line.split("\n")).toHaveLength(2);
  expect(line).not.toContain("\u001b");
  expect(JSON.parse(line)).toEqual({ schema: "bh-bridge/progress@1", type: "message", text: "first\nsecond \u001b[2J" });
});

test("--quiet leaves out messages, and no event", () => {
  const terminal = new Terminal({ color: true, progress: "json", quiet: true });
  expect(written(() => terminal.say("hello"))).toBe("");
  expect(written(() => terminal.report({ type: "train", event }))).not.toBe("");
});

test.each(["auto", "plain", "none"] as const)("under %s no JSON is written", (progress) => {
  expect(written(() => new Terminal({ color: true, progress }).report({ type: "train", event }))).toBe("");
});

test("docs/scripting.md lists every type of line, and shows lines that there are", () => {
  const [, page = ""] = readFileSync("docs/scripting.md", "utf8").split(/^## /m);
  const types = progressLineSchema.options.map(({ shape }) => shape.type.value);
  expect([...page.matchAll(/^\| `(\w+)` \| .* \| .* \|$/gm)].map(([, type]) => type)).toEqual(types);
  const lines = page.split("\n").filter((line) => line.startsWith('{"schema"'));
  expect(lines.map((line) => progressLineSchema.parse(JSON.parse(line)).type)).toEqual(["run", "train", "progress", "end"]);
});
