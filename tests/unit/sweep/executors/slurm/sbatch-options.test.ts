import { expect, test } from "vitest";
import { BhBridgeError } from "../../../../../src/errors.js";
import { asksForGpus, sbatchOptions } from "../../../../../src/sweep/executors/slurm/sbatch-options.js";

test("options of sbatch are its own long names, with or without a value", () => {
  expect(sbatchOptions(["partition=short", "time=1-02:00:00", "gres=gpu:h100:2", "exclusive", "comment=a=b"])).toEqual([
    ["partition", "short"],
    ["time", "1-02:00:00"],
    ["gres", "gpu:h100:2"],
    ["exclusive", undefined],
    ["comment", "a=b"],
  ]);
});

test.each([
  "time=1\n#SBATCH --wrap=ls",
  "comment=$(reboot)",
  "comment=a b",
  'comment="a"',
  "comment=`ls`",
  "comment=a;b|c",
  "--partition=x",
  "P=x",
  "=x",
  "time=",
])("what could become a line or a command of its own is refused: %j", (option) => {
  expect(() => sbatchOptions([option])).toThrow(BhBridgeError);
});

test.each(["array=1-5", "cpus-per-task=8", "output=x", "requeue", "no-requeue", "signal=TERM", "chdir=/tmp"])(
  "what the script says itself is refused: %s",
  (option) => {
    expect(() => sbatchOptions([option])).toThrow(/bh-bridge says .+ itself: /);
  },
);

test.each<[string[], boolean]>([
  [["gpus=1"], true],
  [["gpus-per-task=2"], true],
  [["gres=gpu:1"], true],
  [["gres=tmpdisk:10"], false],
  [["partition=gpu"], false],
])("GPUs are asked for by %j: %s", (options, asked) => expect(asksForGpus(options)).toBe(asked));
