import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { eventually, marked, run, start, temporaryFolder } from "./program.js";

function steps(out: string): number {
  const [name] = existsSync(out) ? readdirSync(out) : [];
  const path = join(out, name ?? "", "events.jsonl");
  return existsSync(path) ? readFileSync(path, "utf8").split('"step_end"').length - 1 : 0;
}

test("two processes end with Ctrl-C after the step, leave nobody, and go on to the end; the run says how many it has", async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, "runs");
  const mark = randomUUID();
  const size = ["--set", "training.per_device_train_batch_size=4", "--set", "model.n_positions=32", "--set", "checkpoint.every=50"];
  const program = start(["train", "--device", "cpu", "--nproc", "2", "--steps", "150", ...size, "--out", out, "--json"], {
    env: { TEST_MARK: mark },
    detached: true,
  });
  expect(await eventually(() => steps(out) > 5, 120_000)).toBe(true);
  process.kill(-(program.pid ?? 0), "SIGINT");
  const { stdout, exitCode } = await program;
  const stopped = trainResultSchema.parse(JSON.parse(String(stdout)));
  expect([stopped.status, exitCode]).toEqual(["stopped", 130]);
  expect(await eventually(async () => (await marked(mark)).length === 0, 3000)).toBe(true);
  expect(readRunManifest(stopped.run).processes).toBe(2);

  const resumed = await run(["resume", stopped.run, "--json"], { env: { TEST_MARK: mark } });
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(trainResultSchema.parse(JSON.parse(resumed.stdout))).toMatchObject({ status: "completed", steps: { done: 150 } });
  expect(readRunManifest(stopped.run).resumes).toHaveLength(1);
  expect(await eventually(async () => (await marked(mark)).length === 0, 3000)).toBe(true);
});
