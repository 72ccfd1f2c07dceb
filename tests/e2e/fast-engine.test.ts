import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const size = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const small = ["--steps", "6", ...size.flatMap((setting) => ["--set", setting]), "--device", "cpu", "--threads", "1", "--engine", "fast"];

test("engine fast trains, and result, manifest and messages say whose bits these are", async () => {
  const out = join(folder.path, "runs");
  const { stdout, stderr, exitCode } = await run(["train", ...small, "--out", out, "--json"]);
  expect(exitCode, stderr).toBe(0);
  const result = trainResultSchema.parse(JSON.parse(stdout));
  expect([result.status, result.engine, result.steps.done]).toEqual(["completed", "fast", 6]);
  expect(result.traps.map(({ corrected }) => corrected)).toContain("engine=trainer");
  expect(readRunManifest(result.run)).toMatchObject({
    engine: "fast",
    step_method: { method: "compiled", used: false, reason: "it pays from 250 steps on", seconds: null },
  });
  expect(JSON.parse(readFileSync(join(result.run, "config.json"), "utf8"))).toMatchObject({ engine: { name: "fast", compile: "auto" } });
  expect(stderr).toContain("Compiled step: not used, it pays from 250 steps on");
});

test("what it does not implement is refused by name, and nothing is made", async () => {
  const out = join(folder.path, "refused");
  const { stdout, exitCode } = await run(["train", ...small, "--set", "training.optim=adafactor", "--set", "model.resid_pdrop=0.1", "--out", out, "--json"]);
  expect(exitCode).toBe(2);
  for (const path of ["training.optim", "model.resid_pdrop"]) expect(stdout).toContain(path);
  expect(readdirSync(folder.path)).not.toContain("refused");
});
