import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../../src/config/parse-run-config.js";
import { Submission, type SubmittedTasks } from "../../../../../src/sweep/executors/slurm/submission.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";

const made = (directory: string): SubmittedTasks => ({
  ...{ python: "/python", directory, workers: 2, failFast: false },
  tasks: [[{ trial: "a", config: parseRunConfig({ seed: 7 }), preset: "quick", corpus: "c", out: "/out", run: null, prune: null }]],
});

test("its tasks come back as they were given", () => {
  const directory = temporaryDirectory();
  const submission = Submission.create(made(directory), (folder) => `#!/bin/bash\n# ${folder}\n`);
  expect(new Submission(submission.folder).tasks).toEqual(made(directory));
  expect(submission.trials).toEqual([["a"]]);
  expect(readFileSync(submission.script, "utf8")).toBe(`#!/bin/bash\n# ${submission.folder}\n`);
});

test("one that was never submitted is written anew; one that was stays, and the next has the next number", () => {
  const directory = temporaryDirectory();
  const script = () => "";
  const [first, again] = [Submission.create(made(directory), script), Submission.create(made(directory), script)];
  expect(again.folder).toBe(first.folder);
  again.submitted("5");
  expect(Submission.create(made(directory), script).folder).toBe(join(directory, "slurm", "0002"));
  expect(Submission.openIn(directory).map(({ job }) => job)).toEqual(["5"]);
});

test("a damaged file is told with its name", () => {
  const submission = Submission.create(made(temporaryDirectory()), () => "");
  writeFileSync(join(submission.folder, "job.json"), '{"job":"5; rm -rf ~"}');
  expect(() => submission.job).toThrow(/job\.json/);
});
