import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sweepCancelDocumentSchema, sweepExportDocumentSchema, sweepLogsDocumentSchema } from "../../src/commands/sweep/directory-commands.js";
import { errorDocumentSchema } from "../../src/commands/terminal/terminal-documents.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readLedger } from "../../src/sweep/ledger.js";
import { type SweepDocument, sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { repetitions } from "../repetitions.js";
import { eventually, marked, run, start, temporaryFolder, withoutTorch } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const base = {
  device: "cpu",
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16, resid_pdrop: 0.1 },
  training: { max_steps: 20, per_device_train_batch_size: 4, logging_steps: 10 },
  checkpoint: { every: 10 },
};

function sweepFile(name: string, sweep: object): string {
  const path = join(folder.path, `${name}.json`);
  writeFileSync(path, JSON.stringify({ base, ...sweep }));
  return path;
}

async function sweep(file: string, out: string, ...args: string[]): Promise<{ document: SweepDocument; exitCode: number | undefined; stderr: string }> {
  const ended = await run(["sweep", file, "--out", join(folder.path, out), "--json", ...args]);
  return { document: sweepDocumentSchema.parse(JSON.parse(ended.stdout)), exitCode: ended.exitCode, stderr: ended.stderr };
}

const history = (directory: string) => tensorBytes(join(directory, "history.safetensors"), "embedding_history");

/** The history of the same trial, trained alone in a process of its own. */
async function historyAlone(directory: string): Promise<Buffer> {
  const { stdout } = await run(["train", "-c", directory, "--out", join(folder.path, "alone"), "--json"]);
  return history(trainResultSchema.parse(JSON.parse(stdout)).run);
}

const directoryIn = (out: string) => join(folder.path, out, readdirSync(join(folder.path, out))[0] ?? "");

describe("a sweep of two norms and two seeds", () => {
  const grid = { "model.norm": ["rmsnorm", "layernorm"] };
  let first: SweepDocument;

  beforeAll(async () => {
    const file = sweepFile("norms", { grid, seeds: "1..2" });
    const dry = await sweep(file, "norms", "--dry-run");
    expect(dry.document).toMatchObject({ directory: null, counts: { planned: 4 }, cost: { trials: 4, workers: 2 } });
    expect(dry.document.cost?.seconds).toBeGreaterThan(0);
    const ended = await sweep(file, "norms", "--workers", "2");
    expect(ended.exitCode, ended.stderr).toBe(0);
    first = ended.document;
  }, 240_000);

  test("completes every trial, each in a run of its own", () => {
    expect(first.counts).toMatchObject({ completed: 4, failed: 0, planned: 0 });
    expect(first.trials.map(({ set }) => set)).toEqual([
      { "model.norm": "rmsnorm", seed: 1 },
      { "model.norm": "rmsnorm", seed: 2 },
      { "model.norm": "layernorm", seed: 1 },
      { "model.norm": "layernorm", seed: 2 },
    ]);
    expect(readdirSync(directoryIn("norms")).sort()).toEqual(["ledger.jsonl", "plan.json", "result.json", "run.lock", "runs", "summary.md"]);
  });

  test("a trial that followed another in its process has the bits of a process of its own", async () => {
    const { run: directory } = first.trials[3] ?? {};
    expect(history(directory ?? "").equals(await historyAlone(directory ?? ""))).toBe(true);
  });

  test("its table is exported as CSV, and nothing is overwritten", async () => {
    const output = join(folder.path, "trials.csv");
    const exported = await run(["sweep", "export", first.directory ?? "", "-o", output, "--json"]);
    expect(sweepExportDocumentSchema.parse(JSON.parse(exported.stdout))).toEqual({
      ...{ schema: "bh-bridge/sweep-export@1", directory: first.directory, output },
      trials: first.trials.length,
    });
    const [head = "", ...lines] = readFileSync(output, "utf8").trimEnd().split("\n");
    const column = head.split(",").indexOf("finalLoss");
    expect(lines.map((line) => Number(line.split(",")[column]))).toEqual(first.trials.map(({ result }) => result?.finalLoss));
    expect(await run(["sweep", "export", first.directory ?? "", "-o", output])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("exists already"),
    });
  });

  test("the same command again trains nothing; a run that is gone is lost, and trained again with a seed more", async () => {
    const again = await sweep(sweepFile("norms", { grid, seeds: "1..2" }), "norms");
    expect(again.document.trials).toEqual(first.trials);
    expect(again.stderr).toContain("no trials left to train");
    const [trial, other] = first.trials;
    rmSync(trial?.run ?? "", { recursive: true });
    const { stdout } = await run(["sweep", "status", first.directory ?? "", "--json"]);
    expect(sweepDocumentSchema.parse(JSON.parse(stdout)).trials[0]).toMatchObject({ trial: trial?.trial, status: "lost", run: null });
    const more = await sweep(sweepFile("norms", { grid: { "model.norm": ["rmsnorm"] }, seeds: "1..3" }), "norms", "--workers", "1");
    expect(more.stderr).toContain("2 trials to train");
    expect(more.document.directory).toBe(first.directory);
    expect(more.document.counts.completed).toBe(3);
    expect(more.document.trials[0]?.result?.census).toEqual(trial?.result?.census);
    expect(more.document.trials[1]?.run).toBe(other?.run);
  });

  test("another base is another directory, and is said", async () => {
    const args = ["sweep", sweepFile("norms", { grid, seeds: 1 }), "--out", join(folder.path, "norms"), "--json", "--steps", "5"];
    const { stderr, stdout } = await run(args, { env: withoutTorch }); // where nothing can be trained
    expect(sweepDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({ directory: expect.not.stringMatching(`^${first.directory}$`) });
    expect(stderr).toContain(`Base or rules differ from those of ${first.directory}`);
  });
});

describe("deaths", () => {
  const long = { ...base, training: { ...base.training, max_steps: 900 }, checkpoint: { every: 50 } };
  const statusesIn = (out: string) => [...readLedger(directoryIn(out)).values()].map(({ status }) => status);
  const isTraining = (out: string, number: number) => () =>
    readdirSync(folder.path).includes(out) && statusesIn(out).filter((status) => status === "running").length >= number;
  const steps = (out: string) =>
    readdirSync(join(directoryIn(out), "runs")).map((name) => {
      try {
        return readFileSync(join(directoryIn(out), "runs", name, "events.jsonl"), "utf8").split('"step_end"').length - 1;
      } catch {
        return 0;
      }
    });

  test("a second controller is refused by name; one that is killed leaves nothing behind but runs to go on with", async () => {
    const file = sweepFile("killed", { base: long, seeds: "1..2" });
    const args = ["sweep", file, "--out", join(folder.path, "killed"), "--workers", "2", "--json"];
    const mark = `BH_SWEEP_MARK=${process.pid}-killed`;
    const controller = start(args, { env: { BH_SWEEP_MARK: `${process.pid}-killed` } });
    expect(await eventually(isTraining("killed", 2), 90_000)).toBe(true);
    const second = await run(args);
    expect(second.exitCode).toBe(1);
    expect(errorDocumentSchema.parse(JSON.parse(second.stdout))).toMatchObject({
      code: "RUN_LOCKED",
      message: expect.stringContaining(`process ${controller.pid}`),
    });
    expect(await eventually(() => Math.min(...steps("killed")) > 60, 60_000)).toBe(true);
    controller.kill("SIGKILL");
    expect(await eventually(async () => (await marked(mark)).length === 0, 3000)).toBe(true);
    const { stdout } = await run(["sweep", "status", directoryIn("killed"), "--json"]);
    expect(sweepDocumentSchema.parse(JSON.parse(stdout)).counts.lost).toBe(2);
  }, 240_000);

  test("a worker that is killed is replaced, and its trial goes on; sweep cancel stops it after a step, and sweep retry ends it with the text moved", async () => {
    const [text, moved] = [join(folder.path, "text.txt"), join(folder.path, "moved/text.txt")];
    writeFileSync(text, "A text that moves to another folder. ".repeat(100));
    const file = sweepFile("worker", { base: { ...long, data: { corpus: text }, training: { ...long.training, max_steps: repetitions(500, 900) } }, seeds: 1 });
    const controller = start(["sweep", file, "--out", join(folder.path, "worker"), "--json"]);
    expect(await eventually(isTraining("worker", 1), 90_000)).toBe(true);
    const workerOf = () => [...readLedger(directoryIn("worker")).values()][0]?.worker?.pid ?? 0;
    const killed = workerOf();
    process.kill(killed, "SIGKILL");
    expect(await eventually(() => isTraining("worker", 1)() && workerOf() !== killed, 180_000)).toBe(true);
    const cancelled = await run(["sweep", "cancel", directoryIn("worker"), "--json"]);
    expect(sweepCancelDocumentSchema.parse(JSON.parse(cancelled.stdout))).toMatchObject({ directory: directoryIn("worker"), pid: controller.pid });
    const { stdout, stderr, exitCode } = await controller;
    expect(exitCode, String(stderr)).toBe(130);
    expect(String(stderr)).toContain("Lost, will resume: seed=1");
    expect(sweepDocumentSchema.parse(JSON.parse(String(stdout))).trials[0]).toMatchObject({ status: "planned", run: expect.any(String) });
    const twice = await run(["sweep", "cancel", directoryIn("worker")]);
    expect(twice).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is not running: there is nothing to stop") });
    mkdirSync(dirname(moved));
    renameSync(text, moved);
    expect(await run(["sweep", "retry", directoryIn("worker")])).toMatchObject({
      exitCode: expect.not.toSatisfy((code) => code === 0),
      stderr: expect.stringContaining("--corpus"),
    });
    const retried = await run(["sweep", "retry", directoryIn("worker"), "--corpus", moved, "--workers", "1", "--json"]);
    expect(sweepDocumentSchema.parse(JSON.parse(retried.stdout)), retried.stderr).toMatchObject({
      directory: directoryIn("worker"),
      counts: { completed: 1 },
    });
  }, 480_000);
});

test("a trial that fails does not stop the others, and is tried again when asked, but for one that diverged; the exit code says so", async () => {
  const diverging = { "training.learning_rate": 1e30, "training.max_grad_norm": 0 };
  const file = sweepFile("failing", { seeds: 1, cases: [diverging, { "training.optim": "adafactor" }, { "training.optim": "galore_adamw" }] });
  const { document, exitCode, stderr } = await sweep(file, "failing", "--workers", "1");
  expect(exitCode).toBe(4);
  expect(document.trials.map(({ status }) => status)).toEqual(["failed", "completed", "failed"]);
  expect(document.trials[0]).toMatchObject({ reason: "at the end the weights are not all finite numbers", result: { finite: false, steps: 20 } });
  expect(stderr).toMatch(/Failed: training\.optim=galore_adamw seed=1/);
  const [, , failed] = document.trials;
  const logs = await run(["sweep", "logs", document.directory ?? "", failed?.trial.slice(0, 6) ?? "", "--json"]);
  expect(sweepLogsDocumentSchema.parse(JSON.parse(logs.stdout))).toMatchObject({ trial: failed?.trial, status: "failed", reason: failed?.reason });
  const printed = await run(["sweep", "logs", document.directory ?? "", document.trials[0]?.trial ?? ""]);
  expect(printed.stdout).toContain("at the end the weights are not all finite numbers");
  const again = await sweep(file, "failing", "--workers", "1");
  expect(again.stderr).toContain("no trials left to train");
  expect(again.exitCode).toBe(4);
  const retried = await run(["sweep", file, "--out", join(folder.path, "failing"), "--workers", "1", "--retry"], { env: withoutTorch });
  expect(retried.stderr).toContain("1 trial to train");
  expect(retried.stderr).toMatch(/Failed: training\.optim=galore_adamw seed=1/);
});

test("a trial whose condition holds is pruned at that step, with the reason in its run, and counts as no failure", async () => {
  const file = sweepFile("pruned", { seeds: 1, prune: { every: 5, when: "unique > 1" } });
  const { document, exitCode } = await sweep(file, "pruned");
  expect(exitCode).toBe(0);
  const [trial] = document.trials;
  expect(trial).toMatchObject({ status: "pruned", reason: expect.stringMatching(/^after step 5: unique > 1 \(unique is \d+\)$/), result: { steps: 5 } });
  expect(JSON.parse(readFileSync(join(trial?.run ?? "", "notes.json"), "utf8"))).toMatchObject({ note: `pruned ${trial?.reason}`, tags: ["pruned"] });
  expect(JSON.parse(readFileSync(join(trial?.run ?? "", "run.json"), "utf8"))).toMatchObject({ status: "stopped", reason: `pruned ${trial?.reason}` });
  expect((await run(["runs", "verify", trial?.run ?? ""])).exitCode).toBe(0);
});

test("a misspelt axis is refused with the nearest name before anything starts", async () => {
  const { exitCode, stdout } = await run([
    "sweep",
    sweepFile("bad", { grid: { "training.learning_rat": [1e-3] } }),
    "--out",
    join(folder.path, "bad"),
    "--json",
  ]);
  expect(exitCode).toBe(2);
  expect(errorDocumentSchema.parse(JSON.parse(stdout)).message).toContain("did you mean training.learning_rate?");
  expect(readdirSync(folder.path)).not.toContain("bad");
});
