import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { RunLog } from "../../../src/serve/run-log.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A line as Python writes it. */
const line = (seq: number, mono: number, type: string, rest: string) => `{"seq": ${seq}, "mono": ${mono}, "wall": 0, "type": "${type}", ${rest}}`;
const step = (seq: number, mono: number, global: number) => line(seq, mono, "step_end", `"global_step": ${global}, "epoch": ${global / 10}, "loss": 2.5`);

test("seconds are those of training: the days between an end and its resumption are not among them", () => {
  const lines = [step(1, 100, 1), step(2, 102, 2), line(3, 90_000, "resumed", '"global_step": 2, "epoch": 0.2, "recomputed_to": 2'), step(4, 90_003, 3)];
  writeFileSync(join(folder, "events.jsonl"), `${lines.join("\n")}\n`);
  const log = new RunLog(folder);
  log.update();
  expect(log.steps.map(({ step: global, seconds, epoch }) => [global, seconds, epoch])).toEqual([
    [1, 0, 0.1],
    [2, 2, 0.2],
    [3, 5, 0.3],
  ]);
  expect(log.events.map(({ type }) => type)).toEqual(["resumed"]);
});

test("a log reads the same, however its lines are spaced", () => {
  const lines = [step(1, 100, 1), step(2, 102, 2), line(3, 103, "log", '"global_step": 2, "epoch": 0.2, "logs": {"loss": 2.5}')];
  const logs = ["python", "compact", "spaced"].map((name) => mkdtempSync(join(folder, name)));
  writeFileSync(join(logs[0] ?? "", "events.jsonl"), `${lines.join("\n")}\n`);
  writeFileSync(join(logs[1] ?? "", "events.jsonl"), `${lines.map((each) => JSON.stringify(JSON.parse(each))).join("\n")}\n`);
  writeFileSync(join(logs[2] ?? "", "events.jsonl"), `${lines.map((each) => each.replaceAll(":", " : ").replaceAll(",", " , ")).join("\n")}\n`);
  const read = logs.map((directory) => {
    const log = new RunLog(directory);
    log.update();
    return { steps: log.steps, events: log.events };
  });
  expect(read[0]?.steps).toHaveLength(2);
  expect(read[0]?.events).toHaveLength(1);
  expect(read[1]).toEqual(read[0]);
  expect(read[2]).toEqual(read[0]);
});
