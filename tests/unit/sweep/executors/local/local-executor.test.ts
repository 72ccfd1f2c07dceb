import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { resolvePython } from "../../../../../src/python/require-packages.js";
import { allowedCores, coreShares, LocalExecutor } from "../../../../../src/sweep/executors/local/local-executor.js";
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

test.runIf(process.platform === "linux")("the allowed cores are those that Python is allowed", () => {
  const program = "import json, os; print(json.dumps(sorted(os.sched_getaffinity(0))))";
  expect(allowedCores()).toEqual(JSON.parse(execFileSync("python3", ["-c", program], { encoding: "utf8" })));
});

test("all cores are shared out evenly, and none to two workers", () => {
  expect(coreShares([0, 1, 2, 3, 4], 2, 1)).toEqual([
    [0, 1],
    [2, 3, 4],
  ]);
  expect(coreShares([8, 9], 2, 1)).toEqual([[8], [9]]);
  expect(coreShares([0, 1], 1, 2)).toEqual([[0, 1]]);
});

test("where a share would be smaller than a trial's threads there is none", () => {
  expect(coreShares([0, 1], 3, 1)).toBeUndefined();
  expect(coreShares([0, 1, 2, 3], 2, 3)).toBeUndefined();
});
