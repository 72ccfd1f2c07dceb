import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportMetrics, type Metrics, metricsOfRun } from "../../src/runner/export-metrics.js";
import { readForeign } from "../../src/runner/foreign-run.js";
import { resume } from "../../src/runner/resume.js";
import { train } from "../../src/runner/train.js";
import { readEvents } from "../../src/runs/read-events.js";
import { temporaryDirectory } from "../unit/formats/reference-python.js";
import { realPython } from "./real-python.js";

const trackers = ["tensorboard", "wandb", "mlflow", "trackio"] as const;
const python = process.env["TRACKERS_PYTHON"] ?? realPython;
const lacking = spawnSync(python, ["-c", `import importlib.util as i; print(*[n for n in ${JSON.stringify(trackers)} if not i.find_spec(n)])`], {
  encoding: "utf8",
}).stdout.trim();
if (lacking !== "") process.emitWarning(`SKIPPED: ${python} has no ${lacking}. Install the dev extra of pyproject.toml`);

const directory = temporaryDirectory();
const attempts = join(directory, "attempts");
/** Every connection that Python opens to another host is refused and noted; programs that Python starts would use the proxy. */
const refusal = `
import socket
connect = socket.socket.connect
def refused(self, address):
    if self.family == socket.AF_UNIX: return connect(self, address)
    open(${JSON.stringify(attempts)}, "a").write(f"{address}\\n")
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = refused
`;
let proxied = 0;
const proxy = createServer((socket) => {
  proxied++;
  socket.destroy();
});

const training = { max_steps: 20, logging_steps: 5, eval_strategy: "steps", eval_steps: 10 } as const;
const config = { preset: "quick", training, data: { held_out: 0.1 }, checkpoint: { every: 10 }, device: "cpu", threads: 1, python } as const;
let plain = "";
let tracked = "";
let exported = "";
let metrics: Metrics;

type Points = readonly (readonly [step: number, value: number])[];
type Found = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Points>>>>>>;
let [ofTraining, ofExport]: Found[] = [];

beforeAll(async () => {
  if (lacking !== "") return;
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  const address = proxy.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  mkdirSync(join(directory, "site"));
  writeFileSync(join(directory, "site", "sitecustomize.py"), refusal);
  Object.assign(process.env, { PYTHONPATH: join(directory, "site"), HTTP_PROXY: url, HTTPS_PROXY: url, HOME: directory, BH_BRIDGE_PYTHON: python });
  plain = (await train(config, { out: directory })).directory;
  const stop = new AbortController();
  const started = train({ ...config, track: [...trackers] }, { out: directory, signal: stop.signal });
  for await (const event of started) if (event.type === "step_end" && event.global_step === 16) stop.abort();
  tracked = (await started).directory;
  // As after a crash: the steps from the checkpoint of step 10 on are computed a second time.
  for (const { checkpoint } of readEvents(tracked).flatMap((event) => (event.type === "save" ? [event] : []))) {
    if (!checkpoint.endsWith("10")) rmSync(join(tracked, checkpoint), { recursive: true });
  }
  await resume(tracked);
  metrics = await metricsOfRun(tracked);
  exported = join(directory, "exported");
  mkdirSync(exported);
  for (const to of [...trackers, "csv", "parquet"] as const) await exportMetrics(tracked, { to, out: join(exported, to), python });
  const read = execFileSync(python, [join(import.meta.dirname, "read_trackers.py"), join(tracked, "trackers"), exported], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  [ofTraining, ofExport] = JSON.parse(read);
}, 600_000);
afterAll(() => proxy.close());

const sha256 = (run: string, file: string) =>
  createHash("sha256")
    .update(readFileSync(join(run, file)))
    .digest("hex");

/** The values of a metric by step; a step that is logged twice must have equal values. */
function byStep(points: Points): Record<number, number> {
  const found: Record<number, number> = {};
  for (const [step, value] of points) {
    expect(found[step] ?? value).toBe(value);
    found[step] = value;
  }
  return found;
}

function column(name: string): Record<number, number> {
  return Object.fromEntries(metrics.rows.flatMap(({ step, values }) => (values[name] === undefined ? [] : [[step, values[name]]])));
}

const nameIn = (tracker: string, name: string) => (tracker === "mlflow" ? name.replace(/^train\//, "").replace(/^eval\//, "eval_") : name);
const stored = (tracker: string, values: Record<number, number>) =>
  Object.fromEntries(Object.entries(values).map(([step, value]) => [step, tracker === "tensorboard" ? Math.fround(value) : value]));

test.skipIf(lacking !== "")("trackers change no bit of a training, whose random streams stay the same", () => {
  for (const file of ["history.safetensors", "checkpoints/step-000020/random_state.json", "checkpoints/step-000020/model.safetensors"]) {
    expect(sha256(tracked, file), file).toBe(sha256(plain, file));
  }
});

test.skipIf(lacking !== "")(
  "engine portable logs to every tracker what its events have",
  async () => {
    const quick = { max_steps: 10, logging_steps: 5, per_device_train_batch_size: 2 };
    const portable = { preset: "quick", engine: "portable", training: quick, device: "cpu", threads: 1, python } as const;
    const { directory: run } = await train({ ...portable, track: [...trackers] }, { out: join(directory, "portable") });
    const logs = readEvents(run).flatMap((event) =>
      event.type === "log" && event.logs["loss"] !== undefined ? [[event.global_step, event.logs["loss"]]] : [],
    );
    expect(logs.map(([step]) => step)).toEqual([5, 10]);
    const read = [join(import.meta.dirname, "read_trackers.py"), join(run, "trackers")];
    const [found]: Found[] = JSON.parse(execFileSync(python, read, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    for (const tracker of trackers) {
      const [points] = Object.values(found?.[tracker] ?? {}).map((metrics) => metrics[nameIn(tracker, "train/loss")] ?? []);
      expect(byStep(points ?? []), tracker).toEqual(stored(tracker, Object.fromEntries(logs)));
    }
  },
  240_000,
);

test.skipIf(lacking !== "").each(trackers)("%s has one run with the logs of the training, also after it was resumed", (tracker) => {
  const [[name, run = {}] = [""], ...others] = Object.entries(ofTraining?.[tracker] ?? {});
  expect(others).toEqual([]);
  if (tracker !== "tensorboard") expect(name).toContain(basename(tracked));
  if (tracker === "mlflow") expect(name).toContain("FINISHED");
  for (const metric of ["train/loss", "train/learning_rate", "train/grad_norm", "eval/loss"]) {
    const points = run[nameIn(tracker, metric)] ?? [];
    expect(byStep(points), metric).toEqual(stored(tracker, column(metric)));
    if (tracker === "tensorboard") expect(points.map(([step]) => step)).toEqual(Object.keys(column(metric)).map(Number));
  }
});

test.skipIf(lacking !== "").each(trackers)("an export to %s has every metric of every step, as its library reads them", (tracker) => {
  const [[, run = {}] = [""], ...others] = Object.entries(ofExport?.[tracker] ?? {});
  expect(others).toEqual([]);
  expect(metrics.names).toEqual(expect.arrayContaining(["train/step_loss", "train/loss", "eval/loss", "analysis/C", "analysis/P", "analysis/meanStep"]));
  expect(Object.keys(run).sort()).toEqual(metrics.names.map((name) => nameIn(tracker, name)).sort());
  for (const name of metrics.names) expect(Object.fromEntries(run[nameIn(tracker, name)] ?? []), name).toEqual(stored(tracker, column(name)));
});

test.skipIf(lacking !== "")("CSV and Parquet have one row per step, as DuckDB reads them", () => {
  const program = `
import duckdb, json, sys
print(json.dumps([duckdb.sql(f"from {read}('{path}')").fetchall() for read, path in zip(["read_csv", "read_parquet"], sys.argv[1:])]))`;
  const read = execFileSync(python, ["-c", program, join(exported, "csv"), join(exported, "parquet")], { encoding: "utf8" });
  const rows = metrics.rows.map(({ step, values }) => [step, ...metrics.names.map((name) => values[name] ?? null)]);
  expect(JSON.parse(read)).toEqual([rows, rows]);
});

test.skipIf(lacking !== "")("the metrics are those of the log and of the analysis", () => {
  const logged = readEvents(tracked).flatMap((event) => (event.type === "log" ? [[event.global_step, event.logs["loss"]]] : []));
  expect(column("train/loss")).toEqual(Object.fromEntries(logged));
  expect(column("analysis/P")[0]).toBe(128); // preset quick starts with all tokens in one black hole
  expect(metrics.rows.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, step) => step));
});

test.skipIf(lacking !== "")("event files are read as a run, with every scalar", async () => {
  const { steps, lines } = await readForeign(join(exported, "tensorboard"));
  expect(steps).toEqual({ done: 20, planned: 20 });
  const trainerName = (name: string) => name.replace(/^train\//, "").replace(/^eval\//, "eval_");
  for (const name of metrics.names) {
    const { x = [], y = [] } = lines.get(trainerName(name)) ?? {};
    expect(Object.fromEntries(x.map((step, at) => [step, y[at]])), name).toEqual(stored("tensorboard", column(name)));
  }
});

test.skipIf(lacking !== "")("nothing is sent", () => {
  expect(proxied).toBe(0);
  expect(() => readFileSync(attempts)).toThrow("ENOENT");
});
