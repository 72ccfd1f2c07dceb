import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { hashOfHistory, type PortableGolden } from "./golden-histories.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const golden: PortableGolden = JSON.parse(readFileSync(join(import.meta.dirname, "golden-portable.json"), "utf8"));

test("engine portable gives the noted bits with three threads, without AVX in PyTorch, and says which build computed them", async () => {
  const out = join(folder.path, "runs");
  const { stdout, stderr, exitCode } = await run(
    ["train", "--preset", "rmsnorm-11.2a", "--engine", "portable", "--steps", "30", "--threads", "3", "--out", out, "--json"],
    { env: { ATEN_CPU_CAPABILITY: "default" } },
  );
  expect(exitCode, stderr).toBe(0);
  const result = trainResultSchema.parse(JSON.parse(stdout));
  expect([result.status, result.engine, result.steps.done]).toEqual(["completed", "portable", 30]);
  expect(hashOfHistory(result.run)).toBe(golden.histories["rmsnorm-11.2a"]);
  const manifest = readRunManifest(result.run);
  expect(manifest.environment).toMatchObject({ device: "cpu", threads: 3, recipe: golden.recipe });
  expect(manifest.step_method).toMatchObject({ method: "portable", used: true });
  expect(manifest.step_method?.reason).toMatch(/^build [\w-]+, SHA-256 [\da-f]{64}, recipe \d+$/);
  const one = await run(["reproduce", result.run, "--steps", "3", "--json"]);
  expect(JSON.parse(one.stdout)).toMatchObject({ equal: true, recipe: golden.recipe });
});

test("what it does not compute is refused by field, all at once, and nothing is made", async () => {
  const out = join(folder.path, "refused");
  const settings = ["model.resid_pdrop=0.1", "training.optim=adafactor", "training.lr_scheduler_type=cosine", "model.dtype=float32"];
  const { stdout, exitCode } = await run([
    ...["train", "--engine", "portable", "--steps", "1", "--device", "cuda", "--out", out, "--json"],
    ...settings.flatMap((setting) => ["--set", setting]),
  ]);
  expect(exitCode).toBe(2);
  for (const path of ["model.resid_pdrop", "training.optim", "training.lr_scheduler_type", "model.dtype", "device"]) expect(stdout).toContain(path);
  expect(readdirSync(folder.path)).not.toContain("refused");
});
