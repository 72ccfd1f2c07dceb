import { copyFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { doctorDocumentSchema } from "../../src/commands/doctor/checks.js";
import { errorDocumentSchema } from "../../src/commands/terminal/terminal-documents.js";
import { resolvePython } from "../../src/python/require-packages.js";
import { repositoryState } from "../../src/runs/git-state.js";
import { readRunConfig } from "../../src/runs/run-config.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { conductPlan } from "../../src/sweep/conduct-plan.js";
import { RayExecutor } from "../../src/sweep/executors/ray/ray-executor.js";
import { loadSweep } from "../../src/sweep/grammar/load-sweep.js";
import type { SweepDefinition } from "../../src/sweep/grammar/sweep-schema.js";
import { readLedger } from "../../src/sweep/ledger.js";
import { planSweep } from "../../src/sweep/plan/plan-experiment.js";
import { type SweepDocument, sweepDocumentSchema, type TrialEvent } from "../../src/sweep/sweep-document.js";
import { concludeSweep } from "../../src/sweep/sweep-summary.js";
import { HostileFolder } from "./hostile-folder.js";
import { eventually, marked, projectRoot, python, run, start, temporaryFolder } from "./program.js";
import { LoopbackCluster } from "./ray-cluster.js";
import { tensorBytes } from "./tensor-bytes.js";

// A head and two nodes, each with one CPU: two workers leave one place for whoever loses its own.
const folder = temporaryFolder();
const file = join(folder.path, "norms.json");
const steps = 300;
/** The rows that every trial begins with; as NumPy writes them. */
const rows = join(folder.path, "rows.npy");
writeFileSync(rows, npy(128, 8));
const base = {
  device: "cpu",
  init: { kind: "file", path: rows },
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16, resid_pdrop: 0.1 },
  training: { max_steps: steps, per_device_train_batch_size: 4, logging_steps: 100 },
  checkpoint: { every: 25 },
};
writeFileSync(file, JSON.stringify({ base, grid: { "model.norm": ["rmsnorm", "layernorm"] }, seeds: "1..6" }));

function npy(height: number, width: number): Buffer {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`.padEnd(117);
  const values = Float32Array.from({ length: height * width }, (_, index) => Math.sin(index) / 50);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(`${head}\n`), Buffer.from(values.buffer)]);
}

let cluster: LoopbackCluster;
let expected: ReadonlyMap<string, Buffer>;

const command = (out: string, ...args: string[]) => ["sweep", file, "--out", join(folder.path, out), "--json", "--workers", "2", ...args];
const onRay = () => ["--executor", "ray", "--address", cluster.address];
const documentOf = (stdout: unknown) => sweepDocumentSchema.parse(JSON.parse(String(stdout)));

/** The history of each trial, by its identity. */
function histories({ trials }: SweepDocument): ReadonlyMap<string, Buffer> {
  return new Map(trials.map(({ trial, run: directory }) => [trial, tensorBytes(join(directory ?? "", "history.safetensors"), "embedding_history")]));
}

beforeAll(async () => {
  const [started, local] = await Promise.all([LoopbackCluster.start(2), run(command("local"))]);
  cluster = started;
  expected = histories(documentOf(local.stdout));
}, 400_000);

afterAll(async () => {
  await cluster?.close();
  folder[Symbol.dispose]();
});

const directoryIn = (out: string) => join(folder.path, out, readdirSync(join(folder.path, out))[0] ?? "");

/** Whether so many trials are under way, each some steps behind a checkpoint. */
function areTraining(out: string, number: number): boolean {
  if (!readdirSync(folder.path).includes(out)) return false;
  const running = [...readLedger(directoryIn(out)).values()].filter(({ status }) => status === "running");
  const taken = running.map(({ run: name }) => readFileSync(join(directoryIn(out), name ?? "", "events.jsonl"), "utf8").split('"step_end"').length - 1);
  return taken.filter((count) => count > 30).length >= number;
}

test("doctor says what a cluster has, and that everything is there", async () => {
  const { stdout } = await run(["doctor", "--json", ...onRay()]);
  const { checks } = doctorDocumentSchema.parse(JSON.parse(stdout));
  expect(checks.filter(({ name }) => name.startsWith("Ray"))).toMatchObject([
    { name: "Ray cluster", ok: true, found: `Ray 2.60.0 at ${cluster.address}` },
    { name: "Ray nodes", ok: true, found: "3 nodes: 3 CPUs, 0 GPUs" },
    { name: "Ray packages", ok: true, found: expect.stringMatching(/torch \d.*Node\.js v\d/) },
  ]);
}, 120_000);

test("a job that dies, and a node that dies, in the middle of twelve trials lose none, and all have the bits of this machine's", async () => {
  const hostile = new HostileFolder(folder.path);
  const controller = start(command("node", ...onRay()), { cwd: hostile.path, env: { BH_BRIDGE_PYTHON: python } });
  expect(await eventually(() => areTraining("node", 1), 180_000)).toBe(true);
  await cluster.killPart("bh_bridge.on_ray.job");
  const isLost = () => [...readLedger(directoryIn("node")).values()].some(({ status }) => status === "lost");
  expect(await eventually(isLost, 60_000)).toBe(true);
  expect(await eventually(() => areTraining("node", 2), 180_000)).toBe(true);
  const workers = new Set([...readLedger(directoryIn("node")).values()].flatMap(({ worker }) => worker?.pid ?? []));
  expect(workers.size).toBe(2);
  await cluster.kill(2);
  const { stdout, stderr, exitCode } = await controller;
  expect(exitCode, String(stderr)).toBe(0);
  expect(histories(documentOf(stdout))).toEqual(expected);
  expect(hostile.executed(), "of the working folder").toBe("");
  expect(await cluster.jobs()).not.toContain("RUNNING");
}, 400_000);

test("a controller that is killed leaves its job, which the next one ends, whatever executor that has; the ledger is the same", async () => {
  const mark = `BH_RAY_CONTROLLER=${process.pid}`;
  const controller = start(command("controller", ...onRay()), { env: { BH_RAY_CONTROLLER: String(process.pid) } });
  expect(await eventually(() => areTraining("controller", 1), 180_000)).toBe(true);
  controller.kill("SIGKILL");
  expect(await eventually(async () => (await marked(mark)).length === 0, 20_000)).toBe(true);
  expect(await cluster.jobs()).toContain("RUNNING");
  const { stdout, stderr, exitCode } = await run(command("controller"));
  expect(exitCode, stderr).toBe(0);
  expect(await cluster.jobs()).not.toContain("RUNNING");
  const document = documentOf(stdout);
  expect(histories(document)).toEqual(expected);
  expect(readdirSync(join(document.directory ?? "", "runs"))).toHaveLength(12);
}, 400_000);

test("where the nodes see nothing of this machine files are sent, and runs come back and go to where they are gone on with", async () => {
  const found = await resolvePython({ python });
  const executor = new RayExecutor(found, { address: cluster.address, storage: "sent" });
  const plan = await planSweep(await loadSweep({ file, seeds: "1" }), { executor, python: found, out: join(folder.path, "sent") });
  const conduct = async (signal: AbortSignal, tell: (event: TrialEvent) => void) =>
    (await conductPlan(plan, found, executor, { out: join(folder.path, "sent"), workers: 2, signal }, tell, concludeSweep(plan))).document;
  const stop = new AbortController();
  const away = eventually(async () => (await cluster.jobs()).includes("RUNNING"), 60_000).then(() => renameSync(rows, `${rows}.away`));
  const stopped = await conduct(stop.signal, (event) => event.kind === "step" && event.step > 30 && stop.abort());
  expect(stopped.counts.completed).toBe(0);
  await away;
  renameSync(`${rows}.away`, rows);
  const from: number[] = [];
  const document = await conduct(new AbortController().signal, (event) => event.kind === "started" && from.push(event.fromStep));
  expect(from.some((step) => step > 0)).toBe(true);
  for (const [trial, history] of histories(document)) expect(history.equals(expected.get(trial) ?? Buffer.alloc(0))).toBe(true);
  const [{ run: one }] = document.trials as [SweepDocument["trials"][number]];
  expect(readRunManifest(one ?? "").git, "that of the controller").toEqual((await repositoryState())?.state ?? null);
  expect(readRunConfig(one ?? "").init).toEqual(base.init);
  for (const { run: directory } of document.trials) expect((await run(["runs", "verify", directory ?? ""])).exitCode).toBe(0);
}, 400_000);

test("a model of one's own is sent with its trial, whose file may change meanwhile", async () => {
  const code = join(folder.path, "net.py");
  const example = join(projectRoot, "examples/one_layer_attention.py");
  copyFileSync(example, code);
  const found = await resolvePython({ python });
  const executor = new RayExecutor(found, { address: cluster.address, storage: "sent" });
  const model = { type: "python", code, class: "OneLayerAttention", fields: { vocab_size: 128, width: 16 } };
  const own = { device: "cpu", init: { kind: "normal" }, data: { window_length: 32 }, training: { max_steps: 3, per_device_train_batch_size: 4 } };
  const by = { executor, python: found, out: join(folder.path, "own") };
  const plan = await planSweep(await loadSweep({ input: { base: own, cases: [{ model }] } as SweepDefinition }), by);
  writeFileSync(code, "raise SystemExit('changed')\n");
  const { document } = await conductPlan(plan, found, executor, { out: by.out, workers: 1 }, () => undefined, concludeSweep(plan));
  expect(document.counts.completed, JSON.stringify(document.trials)).toBe(1);
  expect(readFileSync(join(document.trials[0]?.run ?? "", "model.py"))).toEqual(readFileSync(example));
}, 200_000);

test("where no cluster answers it is said, with exit code 3", async () => {
  const { stdout, exitCode } = await run([...command("none"), "--executor", "ray", "--address", "http://127.0.0.1:9"]);
  expect(exitCode).toBe(3);
  expect(errorDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({
    code: "EXECUTOR_UNAVAILABLE",
    message: expect.stringContaining("no Ray cluster answers at http://127.0.0.1:9"),
  });
});
