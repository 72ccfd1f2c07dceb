import { expect, test } from "vitest";
import { BhBridgeError } from "../../../../../src/errors.js";
import { asksForGpus, batchScript, sbatchOptions } from "../../../../../src/sweep/executors/slurm/batch-script.js";

const script = {
  name: "my sweep",
  folder: "/data/my runs/50%/slurm/0001",
  tasks: 3,
  cores: 8,
  options: ["partition=short"],
  command: ["/usr/bin/node", "/it's/worker.js"],
};

test("it is an array whose tasks each become the program, with the options of sbatch before it", () => {
  expect(batchScript(script)).toBe(`#!/bin/bash
#SBATCH --job-name=bh-my-sweep
#SBATCH --array=1-3
#SBATCH --cpus-per-task=8
#SBATCH --output="/data/my runs/50%%/slurm/0001/task-%a.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR2@90
#SBATCH --partition=short
set -eu
exec /usr/bin/node '/it'\\''s/worker.js' '/data/my runs/50%/slurm/0001' "$SLURM_ARRAY_TASK_ID"
`);
});

test.each(['/a"b', "/a\nb", "/a\\b"])("a folder that cannot be written into it is refused: %j", (folder) => {
  expect(() => batchScript({ ...script, folder })).toThrow(/cannot be written into a script/);
});

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
    expect(() => sbatchOptions([option])).toThrow(/bh-bridge sets .+ itself: /);
  },
);

test.each<[string[], boolean]>([
  [["gpus=1"], true],
  [["gpus-per-task=2"], true],
  [["gres=gpu:1"], true],
  [["gres=tmpdisk:10"], false],
  [["partition=gpu"], false],
])("GPUs are asked for by %j: %s", (options, asked) => expect(asksForGpus(options)).toBe(asked));
