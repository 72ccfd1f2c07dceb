import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { freePort } from "./free-port.js";
import { eventually, marked, run, start, temporaryFolder } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const tiny = ["model.n_embd=8", "model.n_layer=1", "model.n_positions=32", "training.per_device_train_batch_size=4"].flatMap((value) => ["--set", value]);

function steps(out: string): number {
  const [name] = existsSync(out) ? readdirSync(out) : [];
  const path = join(out, name ?? "", "events.jsonl");
  return existsSync(path) ? readFileSync(path, "utf8").split('"step_end"').length - 1 : 0;
}

test("two processes end with Ctrl-C after the step, leave nobody, and go on to the end; the run says how many it has", async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, "runs");
  const mark = randomUUID();
  const size = [...tiny, "--set", "checkpoint.every=50"];
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

test("two machines, here two programs on loopback, train to the bits of one with two processes", async () => {
  using folder = temporaryFolder();
  const mark = randomUUID();
  const size = ["--device", "cpu", "--steps", "10", "--threads", "1", ...tiny];
  const nodes = ["--nnodes", "2", "--nproc", "1", "--rdzv-endpoint", `127.0.0.1:${await freePort()}`, "--rdzv-id", mark];
  const command = (out: string, ...more: string[]) => ["train", ...size, "--out", join(folder.path, out), "--json", ...more];
  const other = start(command("nowhere", ...nodes, "--node-rank", "1"), { env: { TEST_MARK: mark } });
  const both = await run(command("two", ...nodes, "--node-rank", "0"), { env: { TEST_MARK: mark } });
  expect(both.exitCode, both.stderr).toBe(0);
  const { exitCode, stdout, stderr } = await other;
  expect([exitCode, String(stdout)], String(stderr)).toEqual([0, ""]);
  expect(existsSync(join(folder.path, "nowhere")), "rank 0 records").toBe(false);
  const one = await run(command("one", "--nproc", "2"));
  const [apart, together] = [both, one].map((each) => trainResultSchema.parse(JSON.parse(each.stdout)).run);
  const bits = (directory = "") => tensorBytes(join(directory, "history.safetensors"), "embedding_history");
  expect(bits(apart).equals(bits(together))).toBe(true);
  expect(readRunManifest(apart ?? "")).toMatchObject({ processes: 2, config_hash: readRunManifest(together ?? "").config_hash });
  expect(await eventually(async () => (await marked(mark)).length === 0, 3000)).toBe(true);
});
