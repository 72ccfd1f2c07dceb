import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordedRun } from "../../../src/runs/recorded-run.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

test("a run tells what it recorded, later or at once; its damaged files are read only by those who ask for what is in them", async () => {
  const run = join(directory, "run");
  mkdirSync(run);
  expect(recordedRun(run)).toBeUndefined();
  const names = ["config.json", "run.json", "history.safetensors", "history.wte.grad.safetensors", "history.wte.exp_avg.3-20.safetensors"];
  for (const name of names) writeFileSync(join(run, name), "damaged");
  const found = recordedRun(run);
  expect([...(found?.tensors ?? [])].sort()).toEqual(["wte", "wte.exp_avg", "wte.grad"]);
  expect(() => found?.config).toThrow("config.json is damaged");
  expect(() => found?.deadTokens).toThrow("run.json");
  await expect(found?.open("wte.exp_avg_sq")).rejects.toThrow(`${run} did not record wte.exp_avg_sq`);
});
