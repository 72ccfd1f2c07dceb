import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findEqualRun } from "../../src/runner/find-equal-run.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const out = join(folder.path, "runs");
const size = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const settings = ["--steps", "5", ...size.flatMap((setting) => ["--set", setting])];
const explicit = [...settings, "--device", "cpu", "--threads", "1"];

/** Train if it is new; the run that is told, and how many there are then. */
async function trainIfNew(args: readonly string[], into = out): Promise<{ run: string; runs: number; stderr: string }> {
  const { stdout, stderr, exitCode } = await run(["train", ...args, "--if-new", "--out", into, "--json"]);
  expect(exitCode, stderr).toBe(0);
  return { run: trainResultSchema.parse(JSON.parse(stdout)).run, runs: readdirSync(into).length, stderr };
}

let first = "";
beforeAll(async () => {
  ({ run: first } = await trainIfNew(explicit));
});

test("an equal run that is complete is named, with its result, and nothing is trained; what it is called does not count", async () => {
  const again = await trainIfNew(["-c", join(first, "config.json"), "--name", "another name"]);
  expect([again.run, again.runs]).toEqual([first, 1]);
  expect(again.stderr).toContain("Already complete, with the same configuration, text, device and threads");
});

test("another seed is new", async () => {
  const config = JSON.parse(readFileSync(join(first, "config.json"), "utf8"));
  expect(await findEqualRun(config, { out })).toBe(first);
  expect(await findEqualRun({ ...config, seed: 7 }, { out })).toBeUndefined();
});

test.each([
  ["an unfinished run", { status: "stopped" }],
  ["a run on other threads", { environment: { threads: 2 } }],
  ["a run on another text", { corpus: { sha256: "0".repeat(64) } }],
  ["a run that began with the state of a checkpoint", { start_from: "/a/checkpoint" }],
  ["a run whose model a program had changed", { model_changes: ["setTensor wte"] }],
])("%s is none", async (name, change: object) => {
  const into = join(folder.path, name);
  cpSync(out, into, { recursive: true });
  const path = join(into, readdirSync(into)[0] ?? "", "run.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  const merged = Object.entries(change).map(([key, value]) => [key, value?.constructor === Object ? { ...manifest[key], ...value } : value]);
  writeFileSync(path, JSON.stringify({ ...manifest, ...Object.fromEntries(merged) }));
  expect(await findEqualRun(JSON.parse(readFileSync(join(first, "config.json"), "utf8")), { out: into })).toBeUndefined();
});

test("where device or threads are left to PyTorch, it is asked what they come to", async () => {
  const into = join(folder.path, "auto");
  const auto = await trainIfNew(settings, into);
  expect((await trainIfNew(settings, into)).run).toBe(auto.run);
  const path = join(auto.run, "run.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...manifest, environment: { ...manifest.environment, threads: 64 } }));
  const { model, training, threads, ...rest } = JSON.parse(readFileSync(join(auto.run, "config.json"), "utf8"));
  expect(threads).toBeNull();
  expect(await findEqualRun({ ...rest, model, training }, { out: into })).toBeUndefined();
});
