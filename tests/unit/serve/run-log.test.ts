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
