import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { doctorDocumentSchema } from "../../src/commands/doctor/checks.js";
import { experimentDocumentSchema } from "../../src/sweep/experiment/experiment-summary.js";
import { type SweepDocument, sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { isFull } from "../repetitions.js";
import { HostileFolder } from "./hostile-folder.js";
import { eventually, projectRoot, python, run, start, temporaryFolder } from "./program.js";
import { hasSlurm, SlurmCluster } from "./slurm-cluster.js";

const folder = temporaryFolder();
const place = temporaryFolder(); // of SLURM's own files
let cluster: SlurmCluster | undefined;
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  place[Symbol.dispose]();
  folder[Symbol.dispose]();
});

const file = join(folder.path, "sweep.yaml");
const corpus = join(folder.path, "corpus.txt");
writeFileSync(corpus, "It was many and many a year ago, in a kingdom by the sea.\n".repeat(40));
writeFileSync(file, "base: quick\ngrid:\n  training.learning_rate: [1e-3, 3e-4]\nseeds: 1..4\n");
const tiny = ["model.n_embd=16", "model.n_positions=32", "training.per_device_train_batch_size=4", "checkpoint.every=20", "exact_step=off"];
const base = ["sweep", file, "--corpus", corpus, "--device", "cpu", "--steps", "120", ...tiny.flatMap((set) => ["--set", set])];
const out = join(folder.path, "slurm");

test("--emit-only writes a script that shellcheck accepts, and submits nothing", async () => {
  const emitted = await run([
    ...base,
    "--executor",
    "slurm",
    "--emit-only",
    "--jobs",
    "2",
    "--sbatch-option",
    "time=01:00:00",
    "--out",
    join(folder.path, "emitted"),
  ]);
  expect(emitted.exitCode, emitted.stderr).toBe(0);
  const [directory = ""] = readdirSync(join(folder.path, "emitted"));
  const script = join(folder.path, "emitted", directory, "slurm/0001/job.sbatch");
  expect(emitted.stderr).toContain(`Submit it with:  sbatch ${script}`);
  expect(readFileSync(script, "utf8")).toMatch(/^#!\/bin\/bash\n(#SBATCH --.+\n)+set -eu\nexec .+ "\$SLURM_ARRAY_TASK_ID"\n$/);
  expect(readFileSync(script, "utf8")).toContain("#SBATCH --array=1-2\n");
  if (isInstalled("shellcheck")) execFileSync("shellcheck", [script]);
});

test("where SLURM is not, it is said, with exit code 3", async () => {
  const { exitCode, stdout } = await run([...base, "--executor", "slurm", "--json", "--out", join(folder.path, "nowhere")], {
    env: { PATH: "/usr/bin:/bin", SLURM_CONF: "/dev/null" },
  });
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ code: "EXECUTOR_UNAVAILABLE", message: expect.stringMatching(/^sbatch /) });
});

// Skipped where Debian's slurmctld, slurmd, slurm-client and munge are not installed, or the user is not root.
test.skipIf(!hasSlurm()).sequential(
  "a real SLURM trains eight trials, its tasks requeued in the middle, with the bits of local runs",
  async () => {
    cluster ??= await SlurmCluster.start(place.path);
    const looked = await run(["doctor", "--executor", "slurm", "--json"], { env: cluster.env });
    const { checks } = doctorDocumentSchema.parse(JSON.parse(looked.stdout));
    expect(checks.filter(({ name }) => name.startsWith("SLURM"))).toMatchObject([
      { name: "SLURM commands", ok: true, found: expect.stringMatching(/^\d+\.\d+/) },
      { name: "SLURM controller", ok: true, found: expect.stringContaining("is UP") },
      { name: "SLURM credentials", ok: true, found: "auth/munge" },
      { name: "SLURM partitions", ok: true, found: "main (the default): 1 node, no time limit" },
      { name: "SLURM tasks", ok: true, found: expect.stringMatching(/: Python 3\.\d+\.\d+, Node\.js v\d+\S*, the package and the folder$/) },
    ]);
    const slurm = [...base, "--executor", "slurm", "--workers", "1", "--jobs", "2", "--json", "--out", out];
    const detached = await run([...slurm, "--detach"], { env: cluster.env });
    expect(detached.exitCode, detached.stderr).toBe(0);
    const { directory } = sweepDocumentSchema.parse(JSON.parse(detached.stdout));
    const runs = join(directory ?? "", "runs");

    expect(await eventually(() => stepsIn(runs) > 40, 60_000)).toBe(true);
    const [job = ""] = cluster.ask("squeue", "--noheader", "--format=%F").split("\n");
    const states = () => cluster?.ask("squeue", "--me", "--array", "--noheader", "--format=%K%T").trim().split("\n").sort() ?? [];
    const waits = (task: number) => eventually(() => states().includes(`${task}PENDING`), 30_000);
    expect(await eventually(() => states().join() === "1RUNNING,2RUNNING", 30_000)).toBe(true);
    cluster.ask("scontrol", "requeue", `${job}_1`);
    cluster.ask("scancel", "--signal=USR2", "--batch", `${job}_2`); // what SLURM sends 90 seconds before the end
    expect([await waits(1), await waits(2)], "killed by SLURM; stopped, and requeued by itself").toEqual([true, true]);
    const status = await run(["sweep", "status", directory ?? "", "--json"], { env: cluster.env });
    expect(sweepDocumentSchema.parse(JSON.parse(status.stdout)).jobs?.map(({ task }) => task)).toEqual([1, 2]);
    // Not in two minutes, as SLURM would; and not in the same second, in which its node still refuses what it has just killed ("Job credential revoked").
    const beginSoon = (task: number) => cluster?.ask("scontrol", "update", `JobId=${job}_${task}`, "StartTime=now+3");
    for (const task of [1, 2]) beginSoon(task);

    expect(await eventually(() => states().includes("1RUNNING"), 30_000)).toBe(true);
    const before = stepsIn(runs);
    expect(await eventually(() => stepsIn(runs) > before, 60_000)).toBe(true);
    cluster.ask("scancel", "--signal=TERM", "--full", `${job}_1`); // what comes before the end where a partition has a time of grace
    expect(await waits(1), "stopped, and requeued by itself").toBe(true);
    beginSoon(1);

    const local = run([...base, "--workers", "2", "--json", "--out", join(folder.path, "local")]);
    const followed = await start(slurm, { env: cluster.env, timeout: 300_000 });
    expect(followed.exitCode, String(followed.stderr)).toBe(0);
    const document = sweepDocumentSchema.parse(JSON.parse(String(followed.stdout)));
    expect(document.counts.completed).toBe(8);
    expect(bits(document)).toEqual(bits(sweepDocumentSchema.parse(JSON.parse((await local).stdout))));
    const submission = join(directory ?? "", "slurm/0001");
    expect(existsSync(join(submission, "closed"))).toBe(true);
    const again = await run(slurm, { env: cluster.env });
    expect(again.exitCode, "all is done: nothing is submitted").toBe(0);
    expect(readdirSync(join(directory ?? "", "slurm"))).toEqual(["0001"]);
  },
  400_000,
);

test.skipIf(!hasSlurm()).sequential(
  "trials with a model of one's own train the code that was submitted, whatever becomes of its file",
  async () => {
    cluster ??= await SlurmCluster.start(place.path);
    const code = join(folder.path, "net.py");
    const example = join(projectRoot, "examples/one_layer_attention.py");
    copyFileSync(example, code);
    const own = join(folder.path, "own.json");
    const model = { type: "python", code, class: "OneLayerAttention", fields: { vocab_size: 128, width: 16 } };
    const data = { corpus, window_length: 32 };
    const training = { max_steps: 3, per_device_train_batch_size: 4 };
    writeFileSync(own, JSON.stringify({ base: { device: "cpu", init: { kind: "normal" }, data, training }, cases: [{ model }] }));
    const slurm = ["--executor", "slurm", "--workers", "1", "--json"];
    const submitted = await run(["sweep", own, ...slurm, "--out", join(folder.path, "own"), "--detach"], { env: cluster.env });
    writeFileSync(code, "raise SystemExit('changed')\n");
    expect(submitted.exitCode, submitted.stderr).toBe(0);
    const { directory = "" } = JSON.parse(submitted.stdout);
    const followed = await start(["sweep", "retry", directory, ...slurm], { env: cluster.env, timeout: 240_000 });
    expect(followed.exitCode, String(followed.stderr)).toBe(0);
    const { trials } = sweepDocumentSchema.parse(JSON.parse(String(followed.stdout)));
    expect(trials.map(({ status }) => status)).toEqual(["completed"]);
    expect(readFileSync(join(trials[0]?.run ?? "", "model.py"))).toEqual(readFileSync(example));
    expect(readdirSync(join(directory, "slurm"))).toEqual(["0001"]);
  },
  300_000,
);

// With `alpha` 0.2, four equal signs decide. A round is two pairs, so the fifth pair is the last that could be submitted.
test.skipIf(!hasSlurm() || !isFull).sequential(
  "an experiment whose command is killed goes on from its submitted pairs, and submits none once it is decided",
  async () => {
    cluster ??= await SlurmCluster.start(place.path);
    const rates = join(folder.path, "rates.json");
    const model = { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 };
    const training = { max_steps: 8, per_device_train_batch_size: 2, logging_steps: 2 };
    const arms = { slow: { training: { learning_rate: 1e-3 } }, fast: { training: { learning_rate: 1e-2 } } };
    const rules = { decides: ["finalLoss"], margin: { finalLoss: 0.01 }, alpha: 0.2 };
    writeFileSync(rates, JSON.stringify({ base: { device: "cpu", threads: 1, data: { corpus }, model, training }, arms, rules }));
    const command = ["experiment", rates, "--until-decided", "--seeds", "1..12", "--workers", "2"];
    const slurm = [...command, "--executor", "slurm", "--jobs", "2", "--out", join(folder.path, "decided")];
    const killed = start([...slurm, "--progress", "json"], { env: cluster.env, timeout: 120_000 });
    for await (const line of killed.iterable({ from: "stderr" })) if (String(line).includes('"kind":"started"')) break;
    killed.kill("SIGKILL");
    await killed;
    const ended = await start([...slurm, "--json"], { env: cluster.env, timeout: 120_000 });
    expect(ended.exitCode, String(ended.stderr)).toBe(0);
    const document = experimentDocumentSchema.parse(JSON.parse(String(ended.stdout)));
    const submitted = readdirSync(join(document.directory, "slurm")).length;
    expect([document.verdict.result, document.sequential?.arms[0]?.pairs, submitted]).toEqual(["positive", 4, 2]);
    expect(readdirSync(join(document.directory, "runs"))).toHaveLength(8);
    const local = await run([...command, "--json", "--out", join(folder.path, "decided-here")]);
    const here = experimentDocumentSchema.parse(JSON.parse(local.stdout));
    expect([document.sequential, document.verdict], "as on this machine").toEqual([here.sequential, here.verdict]);
  },
  300_000,
);

// With a controller that is gone for longer than SLURM's own commands wait, which is 10 s, and from a folder whose files are hostile.
test.skipIf(!hasSlurm()).sequential(
  "a controller of SLURM that is killed and comes back is waited for, and nothing of the working folder is executed",
  async () => {
    cluster ??= await SlurmCluster.start(place.path);
    const hostile = new HostileFolder(folder.path);
    const [first = "", second = ""] = [join(folder.path, "one.yaml"), join(folder.path, "restart")];
    writeFileSync(first, "base: quick\nseeds: [1]\n");
    const one = ["sweep", first, ...base.slice(2), "--steps", "400", "--executor", "slurm", "--workers", "1", "--json", "--out", second];
    const following = start(one, { cwd: hostile.path, env: { ...cluster.env, BH_BRIDGE_PYTHON: python }, timeout: 240_000 });
    const runsIn = (name: string) => (existsSync(join(second, name, "runs")) ? readdirSync(join(second, name, "runs")) : []);
    const isBegun = () => existsSync(second) && readdirSync(second).some((name) => runsIn(name).length > 0);
    expect(await eventually(isBegun, 90_000)).toBe(true);
    // A controller forgets a job that it was given less than some seconds before it is killed: it saves its state behind the answer.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    await cluster.killController();
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    cluster.startController();
    const { exitCode, stdout, stderr } = await following;
    expect(exitCode, String(stderr)).toBe(0);
    expect(sweepDocumentSchema.parse(JSON.parse(String(stdout))).counts.completed).toBe(1);
    expect(hostile.executed()).toBe("");
  },
  300_000,
);

function stepsIn(runs: string): number {
  const names = existsSync(runs) ? readdirSync(runs) : [];
  const logs = names.map((name) => join(runs, name, "events.jsonl")).filter((path) => existsSync(path));
  return Math.max(0, ...logs.map((path) => readFileSync(path, "utf8").split('"step_end"').length - 1));
}

function bits({ trials }: SweepDocument): Record<string, string> {
  const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return Object.fromEntries(trials.map(({ trial, run: at }) => [trial, digest(join(at ?? "", "history.safetensors"))]));
}

function isInstalled(name: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
