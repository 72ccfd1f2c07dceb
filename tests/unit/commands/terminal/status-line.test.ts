import { afterEach, expect, test, vi } from "vitest";
import { createStatusLine } from "../../../../src/commands/terminal/progress.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";

/** What a task that goes through three phases writes to stderr, which is no terminal here. */
function written(progress: "auto" | "plain" | "json" | "none"): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(...String(text).trimEnd().split("\n")) > 0);
  const status = createStatusLine(new Terminal({ color: false, progress }));
  status.show("reading");
  status.show("1 of 9", true);
  status.show("writing");
  status.stop();
  return lines;
}

afterEach(() => void vi.restoreAllMocks());

test.each(["auto", "plain"] as const)("with --progress %s, a line for each phase, with the time; what only passes is left out", (progress) => {
  expect(written(progress)).toEqual([expect.stringMatching(/^reading \(0 s\)$/), expect.stringMatching(/^writing \(0 s\)$/)]);
});

test("with none, nothing", () => {
  expect(written("none")).toEqual([]);
});

test("with json, a line of JSON for each, what passes included", () => {
  const lines = written("json").map((line) => JSON.parse(line));
  expect(lines.map(({ type, text }) => [type, text])).toEqual([
    ["phase", "reading"],
    ["phase", "1 of 9"],
    ["phase", "writing"],
  ]);
  expect(lines.every(({ seconds }) => typeof seconds === "number" && seconds >= 0)).toBe(true);
});
