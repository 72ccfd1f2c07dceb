import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { resolvePython } from "../../../../../src/python/resolve-python.js";
import { LocalExecutor } from "../../../../../src/sweep/executors/local/local-executor.js";
import { expectedFrom, python as interpreter } from "../../../formats/reference-python.js";

const executor = new LocalExecutor(await resolvePython({ python: interpreter }));

test("for trials on the CPU nobody is asked for GPUs", async () => {
  expect(await executor.machine(true)).toEqual({ device: "cpu", gpus: 0, cores: availableParallelism() });
});

test("the device of trials that leave it open is PyTorch's", async () => {
  const expected = expectedFrom<object>(`
import json, torch
device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
print(json.dumps({"device": device, "gpus": torch.cuda.device_count()}))`);
  expect(await executor.machine(false)).toMatchObject(expected);
});
