import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readEvents } from "../../src/runs/read-events.js";
import { eventually, run, start, temporaryFolder } from "./program.js";
import { progressLines } from "./progress-lines.js";

const folder = temporaryFolder();
const within = { cwd: folder.path };
afterAll(() => folder[Symbol.dispose]());

const size = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const small = ["--steps", "3", "--device", "cpu", "--threads", "1", ...[...size, "checkpoint.every=1"].flatMap((setting) => ["--set", setting])];

/** Run a command with both kinds of JSON. */
async function inLines(...args: string[]) {
  const { exitCode, stdout, stderr } = await run([...args, "--json", "--progress", "json"], within);
  const lines = progressLines(stderr);
  const types = new Set(lines.map(({ type }) => type));
  return { exitCode, document: JSON.parse(stdout), lines, types, last: lines.at(-1) };
}

const ended = { type: "end", status: "ok", exitCode: 0 };
let trained: Awaited<ReturnType<typeof inLines>>;
let directory = "";

beforeAll(async () => {
  trained = await inLines("train", ...small, "--on-event", "echo heard >&2");
  directory = trainResultSchema.parse(trained.document).run;
});

test("train tells its run, every event of its log, its progress and its end", () => {
  expect(trained.last).toMatchObject(ended);
  expect(trained.lines).toContainEqual({ schema: "bh-bridge/progress@1", type: "run", directory, fromStep: 0, steps: 3 });
  const told = trained.lines.flatMap((line) => (line.type === "train" ? [line.event] : []));
  expect(told).toEqual(readEvents(directory));
  expect(trained.lines).toContainEqual({ schema: "bh-bridge/progress@1", type: "progress", task: "Training", unit: "steps", done: 3, total: 3 });
  expect(trained.lines).toContainEqual({ schema: "bh-bridge/progress@1", type: "message", text: "heard" });
});

// experiment, reproduce and rerecord are looked at where they are tested.
test.each([
  ["resume", (path: string) => ["resume", path]],
  ["compare", (path: string) => ["compare", path, path]],
  ["census", (path: string) => ["census", path]],
  ["export", (path: string) => ["export", path, "--to", "npy", "--out", "history.npy"]],
  ["setup", () => ["setup"]],
] as const)("%s writes nothing else to stderr, and ends with its end", async (_, args) => {
  const { last, document } = await inLines(...args(directory));
  expect(last).toMatchObject(ended);
  expect(document.schema).toMatch(/^bh-bridge\//);
});

test("analyze tells how much it has done", async () => {
  const { last, lines } = await inLines("analyze", directory);
  expect(last).toMatchObject(ended);
  expect(lines).toContainEqual({ schema: "bh-bridge/progress@1", type: "progress", task: "Analysing", unit: "states", done: 0, total: 4 });
});

test("a sweep tells its plan, and what becomes of every trial", async () => {
  const { last, lines } = await inLines("sweep", "--preset", "quick", "--seeds", "1", ...small);
  expect(last).toMatchObject(ended);
  const events = lines.flatMap((line) => (line.type === "trial" ? [line.event] : []));
  const [planned, started] = events;
  expect(planned).toMatchObject({ kind: "planned", workers: 1, trials: [{ status: "planned" }] });
  expect(started).toMatchObject({ kind: "started", fromStep: 0 });
  expect(events.at(-1)).toMatchObject({ kind: "ended", trial: { status: "completed", set: { seed: 1 } } });
});

test("a failure is a line, and the end has its exit code", async () => {
  const { exitCode, lines, document } = await inLines("train", "--corpus", "missing.txt");
  expect(exitCode).toBe(2);
  const { code, message, issues } = document;
  expect(lines.slice(-2)).toEqual([
    { schema: "bh-bridge/progress@1", type: "error", code, message, issues },
    { schema: "bh-bridge/progress@1", type: "end", status: "usage", exitCode: 2 },
  ]);
});

test("a variable that is mistyped and a warning of Node are messages", async () => {
  writeFileSync(join(folder.path, "warn.cjs"), 'process.once("beforeExit", () => process.emitWarning("old", "DeprecationWarning"));');
  const env = { BH_BRIDGE_PYTON: "python3", NODE_OPTIONS: `--require ${join(folder.path, "warn.cjs")}` };
  const { stderr } = await run(["presets", "--progress", "json"], { ...within, env });
  const texts = progressLines(stderr).flatMap((line) => (line.type === "message" ? [line.text] : []));
  expect(texts).toEqual([expect.stringContaining("Did you mean BH_BRIDGE_PYTHON?"), "DeprecationWarning: old"]);
});

test("Ctrl-C is told, and the end says that it was the reason", async () => {
  const program = start(["train", ...small, "--steps", "5000", "--progress", "json"], { ...within, buffer: true });
  let told = "";
  program.stderr?.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  expect(await eventually(() => told.includes('"step_end"'), 60_000)).toBe(true);
  program.kill("SIGINT");
  const { exitCode, stderr } = await program;
  const lines = progressLines(String(stderr));
  expect(exitCode).toBe(130);
  expect(lines.at(-1)).toMatchObject({ type: "end", status: "sigint", exitCode: 130 });
  expect(lines).toContainEqual(expect.objectContaining({ type: "message", text: expect.stringContaining("Stopping after this step") }));
});
