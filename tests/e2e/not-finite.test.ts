import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runsDocumentSchema } from "../../src/commands/runs/format-runs.js";
import { type TrainResult, trainResultSchema } from "../../src/runner/train-result.js";
import { eventually, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const runs = join(folder.path, "runs");
const tiny = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const diverging = [...tiny, "training.learning_rate=1e38", "training.max_grad_norm=0", "training.logging_steps=10"].flatMap((setting) => ["--set", setting]);
const heard = join(folder.path, "heard.jsonl");
const hook = ["--on-event", `cat >> "${heard}"`];

let result: TrainResult;
let ended: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  ended = await run(["train", "--device", "cpu", "--threads", "1", ...diverging, ...hook, "--steps", "30", "--name", "broken", "--out", runs, "--json"]);
  result = trainResultSchema.parse(JSON.parse(ended.stdout));
});

test("a training whose weights are not numbers at its end is degenerate, and ends with exit code 1 and its document", () => {
  expect(ended.exitCode, ended.stderr).toBe(1);
  expect(result).toMatchObject({ status: "completed", finite: false, verdict: { result: "degenerate" } });
  expect(result.verdict.reason).toContain("the weights of 128 of 128 tokens are not finite at the end");
});

test("--on-event runs a command at alerts and at the end, with the event as JSON, and what it uses is summed up", async () => {
  const events = () =>
    readFileSync(heard, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  expect(await eventually(() => events().length === 2, 5000)).toBe(true);
  expect(events().sort((a, b) => a.seq - b.seq)).toMatchObject([
    { type: "alert", kind: "non-finite" },
    { type: "train_end", global_step: 30 },
  ]);
  expect(ended.stderr).toMatch(/Alert at step 1: the embedding has values that are not finite after step 1\n/);
  const { usage, loss, run: directory } = result;
  expect(loss).toEqual([
    [10, null],
    [20, null],
    [30, null],
  ]);
  expect(readFileSync(join(directory, "events.jsonl"), "utf8")).toContain('"kind": "non-finite"');
  expect(usage?.peakBytes).toBeGreaterThan(100e6); // PyTorch alone takes that
  expect(usage?.cpuCores).toBeGreaterThan(0);
  expect(usage?.gpuPeakBytes).toBeNull();
});

test("the list of runs, its summary and its model card tell of it", async () => {
  const list = await run(["runs", "--out", runs, "--where", "finite:no", "--json"]);
  expect(runsDocumentSchema.parse(JSON.parse(list.stdout)).runs.map((row) => row.run)).toEqual([result.run]);
  expect((await run(["runs", "--out", runs])).stdout).toMatch(/completed, not finite/);
  const shown = await run(["runs", "show", result.run]);
  expect(shown.exitCode).toBe(0);
  expect(shown.stdout).toContain("Failed: at the end the weights are not all finite numbers");
  await run(["export", result.run, "--to", "hf", "--out", join(folder.path, "model")]);
  expect(readFileSync(join(folder.path, "model", "README.md"), "utf8")).toContain("| weights | not all finite: this training has failed |");
});

test("its analysis says of the escapes that the rows became NaN", async () => {
  const { stdout } = await run(["analyze", result.run, "--only", "timeline"]);
  expect(stdout).toMatch(/escapes \(\d+ of rows that became NaN\)/);
  expect(stdout).toMatch(/tokens left their black holes because their rows became NaN, first at step \d+/);
});

test("summing it up again fails again", async () => {
  const ended = await run(["resume", result.run]);
  expect(ended.exitCode, ended.stderr).toBe(1);
});
