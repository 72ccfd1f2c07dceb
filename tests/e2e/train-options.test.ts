import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { readState } from "../../src/formats/read-state.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { openHistory } from "../../src/runs/open-history.js";
import { eventually, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const tiny = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const train = ["train", "--device", "cpu", "--threads", "1", ...tiny.flatMap((setting) => ["--set", setting])];

test("--on-event runs a command at alerts and at the end, with the event as JSON, and what it uses is summed up", async () => {
  const heard = join(folder.path, "heard.jsonl");
  const diverging = ["training.learning_rate=1e38", "training.max_grad_norm=0", "training.logging_steps=10"].flatMap((setting) => ["--set", setting]);
  const hook = ["--on-event", `cat >> "${heard}"`];
  const { stdout, exitCode, stderr } = await run([...train, ...diverging, ...hook, "--steps", "30", "--out", join(folder.path, "runs"), "--json"]);
  expect(exitCode, stderr).toBe(1); // its weights are not finite at the end
  const events = () =>
    readFileSync(heard, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  expect(await eventually(() => events().length === 2, 5000)).toBe(true);
  expect(events().sort((a, b) => a.seq - b.seq)).toMatchObject([
    { type: "alert", kind: "non-finite" },
    { type: "train_end", global_step: 30 },
  ]);
  expect(stderr).toMatch(/Alert at step 1: the embedding has values that are not finite after step 1\n/);
  const { usage, loss, run: directory } = trainResultSchema.parse(JSON.parse(stdout));
  expect(loss).toEqual([
    [10, null],
    [20, null],
    [30, null],
  ]);
  expect(readFileSync(join(directory, "events.jsonl"), "utf8")).toContain('"kind": "non-finite"');
  expect(usage?.peakBytes).toBeGreaterThan(100e6); // PyTorch alone takes that
  expect(usage?.cpuCores).toBeGreaterThan(0);
  expect(usage?.gpuPeakBytes).toBeNull();
});

test("a command of --on-event that fails is told, and fails nothing else", async () => {
  const { exitCode, stderr } = await run([...train, "--on-event", "exit 7", "--steps", "2", "--out", join(folder.path, "failing")]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain("--on-event ended with exit code 7 at event train_end");
});

test("--require-clean refuses uncommitted changes and folders outside a repository, and lets a clean one train", async () => {
  const repository = join(folder.path, "repository");
  const git = (...args: string[]) => execa("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: repository });
  await execa("mkdir", [repository]);
  const attempt = () => run([...train, "--require-clean", "--steps", "1", "--out", join(folder.path, "clean"), "--json"], { cwd: repository });
  const refused = async (words: string) => {
    const { exitCode, stdout } = await attempt();
    expect([exitCode, JSON.parse(stdout).code]).toEqual([2, "USAGE"]);
    expect(JSON.parse(stdout).message).toContain(words);
  };
  await refused("in no git repository");
  await git("init", "-q");
  writeFileSync(join(repository, "a"), "1");
  await git("add", "a");
  await git("commit", "-qm", "first");
  writeFileSync(join(repository, "a"), "2");
  await refused("changes that are not committed");
  await git("commit", "-qam", "second");
  const { exitCode, stdout } = await attempt();
  expect(exitCode).toBe(0);
  const { git: state } = JSON.parse(readFileSync(join(JSON.parse(stdout).run, "run.json"), "utf8"));
  expect(state).toMatchObject({ commit: (await git("rev-parse", "HEAD")).stdout, dirty: false });
});

test("--from RUN::STEP begins with the embedding of that step, in the sizes of that run", async () => {
  const out = join(folder.path, "started");
  const json = async (...args: string[]) => JSON.parse((await run([...args, "--out", out, "--json"])).stdout);
  const first = (await json(...train, "--steps", "4", "--name", "first")).run as string;
  const again = ["train", "--device", "cpu", "--threads", "1", "--set", "model.n_layer=1", "--set", "training.per_device_train_batch_size=4"];
  const second = (await json(...again, "--from", "first::3", "--steps", "2")).run as string;
  const [from, to] = [await openHistory(first), await openHistory(second)];
  expect(readState(to, 0).bytes).toEqual(readState(from, 3).bytes);
  from.close();
  to.close();
});
