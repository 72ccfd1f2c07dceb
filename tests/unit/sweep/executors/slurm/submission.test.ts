import { createHash } from "node:crypto";
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

test("code of the user's own is in one file for all trials, and comes back with its source", () => {
  const directory = temporaryDirectory();
  const source = "class Net: ...\n";
  const model = { type: "python", code: { path: "/gone/net.py", source }, class: "Net", vocab_size: 64 };
  const trials = [1, 2].map((seed) => {
    const config = parseRunConfig({ seed, model, data: { window_length: 8 } });
    return { trial: String(seed), config, preset: "quick" as const, corpus: "c", out: "/out", run: null, prune: null };
  });
  const { folder } = Submission.create({ ...made(directory), tasks: [trials] }, () => "");
  const sha256 = createHash("sha256").update(source).digest("hex");
  expect(readFileSync(join(folder, `${sha256}.py`), "utf8")).toBe(source);
  expect(readFileSync(join(folder, "tasks.json"), "utf8")).not.toContain("class Net");
  const code = { path: join(folder, `${sha256}.py`), sha256, source };
  expect(new Submission(folder).tasks.tasks[0]).toMatchObject([{ config: { model: { code } } }, { config: { model: { code } } }]);
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
