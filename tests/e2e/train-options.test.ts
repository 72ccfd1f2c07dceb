import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readState } from "../../src/formats/history.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { openHistory } from "../../src/runs/open-history.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const out = join(folder.path, "runs");

const tiny = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const train = ["train", "--device", "cpu", "--threads", "1", ...tiny.flatMap((setting) => ["--set", setting])];

let first: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  first = await run([...train, "--on-event", "exit 7", "--steps", "4", "--name", "first", "--out", out, "--json"]);
});

test("a command of --on-event that fails is told, and fails nothing else", () => {
  expect(first.exitCode).toBe(0);
  expect(first.stderr).toContain("--on-event failed with exit code 7 at event train_end");
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
  await refused("is not in a git repository");
  await git("init", "-q");
  writeFileSync(join(repository, "a"), "1");
  await git("add", "a");
  await git("commit", "-qm", "first");
  writeFileSync(join(repository, "a"), "2");
  await refused("has uncommitted changes");
  await git("commit", "-qam", "second");
  const { exitCode, stdout } = await attempt();
  expect(exitCode).toBe(0);
  const { git: state } = JSON.parse(readFileSync(join(JSON.parse(stdout).run, "run.json"), "utf8"));
  expect(state).toMatchObject({ commit: (await git("rev-parse", "HEAD")).stdout, dirty: false });
});

test("--from RUN::STEP begins with the embedding of that step, in the sizes of that run", async () => {
  const again = ["train", "--device", "cpu", "--threads", "1", "--set", "model.n_layer=1", "--set", "training.per_device_train_batch_size=4"];
  const second = await run([...again, "--from", "first::3", "--steps", "2", "--out", out, "--json"]);
  const [from, to] = await Promise.all([first, second].map(({ stdout }) => openHistory(trainResultSchema.parse(JSON.parse(stdout)).run)));
  if (!from || !to) throw new Error("there are two");
  expect(readState(to, 0).bytes).toEqual(readState(from, 3).bytes);
  from.close();
  to.close();
});
