import { expect, test } from "vitest";
import { batchScript } from "../../../../../src/sweep/executors/slurm/batch-script.js";

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
