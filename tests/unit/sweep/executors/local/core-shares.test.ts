import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { allowedCores, coreShares } from "../../../../../src/sweep/executors/local/core-shares.js";

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
