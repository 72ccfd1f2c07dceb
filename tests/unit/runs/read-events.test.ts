import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lastEvent, readEvents } from "../../../src/runs/read-events.js";

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

test("the events of earlier versions on how steps are computed are read as those of today", () => {
  const old = [
    { type: "exact_step", used: true, reason: "a", plain_seconds: 0.07, exact_seconds: 0.05 },
    { type: "graphed_step", used: false, reason: "b", eager_seconds: null, graphed_seconds: null },
    { type: "compiled_step", used: true, reason: "c", seconds: 2.6 },
  ];
  writeFileSync(join(folder, "events.jsonl"), old.map((event, seq) => line(seq, event)).join(""));
  const methods = readEvents(folder).map(
    (event) => event.type === "step_method" && [event.method, event.used, event.reason, event.reference_seconds, event.seconds],
  );
  expect(methods).toEqual([
    ["exact", true, "a", 0.07, 0.05],
    ["graphed", false, "b", null, null],
    ["compiled", true, "c", null, 2.6],
  ]);
  expect(lastEvent(folder, "step_method")).toMatchObject({ method: "compiled", seconds: 2.6 });
});

test("a line that is longer than what is read at a time is one line", () => {
  const long = line(0, { type: "log", logs: { ["x".repeat(200_000)]: 1, loss: 2 } });
  writeFileSync(join(folder, "events.jsonl"), `${long}${line(1, { type: "step_end", loss: 1 })}`);
  expect(lastEvent(folder, "log")?.logs["loss"]).toBe(2);
});

test("a run without a log has no last event", () => {
  expect(lastEvent(join(folder, "nowhere"), "log")).toBeUndefined();
});
