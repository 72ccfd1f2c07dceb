import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lastEvent } from "../../../src/runs/read-events.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-last-event-"));
afterAll(() => rmSync(folder, { recursive: true }));

const line = (seq: number, fields: object) => `${JSON.stringify({ seq, mono: seq, wall: seq, global_step: seq, epoch: 0, ...fields })}\n`;

test("the last log is found from the end of a long file, over damaged and torn lines", () => {
  const steps = Array.from({ length: 3000 }, (_, index) => line(index + 2, { type: "step_end", loss: 1 }));
  const logs = [line(0, { type: "log", logs: { loss: 4 } }), line(1, { type: "log", logs: { loss: 3.5 } })];
  writeFileSync(join(folder, "events.jsonl"), `${logs.join("")}${steps.join("")}{"type":"log","damaged\n{"type":"log","logs":{"loss":9}`);
  expect(lastEvent(folder, "log")?.logs).toEqual({ loss: 3.5 });
  expect(lastEvent(folder, "evaluate")).toBeUndefined();
});

test("a line that is longer than what is read at a time is one line", () => {
  const long = line(0, { type: "log", logs: { ["x".repeat(200_000)]: 1, loss: 2 } });
  writeFileSync(join(folder, "events.jsonl"), `${long}${line(1, { type: "step_end", loss: 1 })}`);
  expect(lastEvent(folder, "log")?.logs["loss"]).toBe(2);
});

test("a run without a log has no last event", () => {
  expect(lastEvent(join(folder, "nowhere"), "log")).toBeUndefined();
});
