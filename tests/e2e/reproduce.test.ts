import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { reproduceDocumentSchema } from "../../src/commands/documents.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readRunNotes } from "../../src/runs/run-manifest.js";
import { damageNumber, recordOtherNumber } from "./flip-bit.js";
import { eventually, run, start, temporaryFolder } from "./program.js";
import { progressLines } from "./progress-lines.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
/** Its training takes some seconds: long enough to be compared, and stopped, under way. */
const steps = 240;
const size = ["model.n_embd=32", "model.n_layer=2", "model.n_head=2", "model.n_positions=64", "training.per_device_train_batch_size=16"];
let whole = "";

beforeAll(async () => {
  const settings = [...size, "checkpoint.every=50", 'record.tensors=["wte","wte.grad"]'].flatMap((setting) => ["--set", setting]);
  const { stdout, stderr } = await run([
    ...["train", "--steps", String(steps), "--device", "cpu", "--threads", "1", ...settings],
    ...["--out", join(folder.path, "runs"), "--json"],
  ]);
  expect(stdout, stderr).not.toBe("");
  whole = trainResultSchema.parse(JSON.parse(stdout)).run;
});

/** A copy of the run, with other values in its `run.json`. */
function copyOf(name: string, change: (manifest: Record<string, object>) => object = () => ({})): string {
  const copy = join(folder.path, name);
  cpSync(whole, copy, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(copy, "run.json"), "utf8"));
  writeFileSync(join(copy, "run.json"), JSON.stringify({ ...manifest, ...change(manifest) }));
  return copy;
}

/** What we left among temporary files; torch has a folder of its own there. */
function ours(temporary: string): string[] {
  return readdirSync(temporary).filter((name) => name.startsWith("bh-bridge"));
}

test("a run is equal in every bit when it is trained again; a receipt stays, and nothing else does", async () => {
  const copy = copyOf("again");
  const temporary = join(folder.path, "temporary");
  mkdirSync(temporary);
  const before = readdirSync(copy, { recursive: true });
  const { exitCode, stdout, stderr } = await run(["reproduce", copy, "--json", "--progress", "json"], { env: { TMPDIR: temporary } });
  expect(exitCode, stderr).toBe(0);
  const lines = progressLines(stderr);
  expect(lines.map((line) => line.type === "train" && line.event.type)).toContain("step_end");
  expect(lines.at(-1)).toMatchObject({ type: "end", status: "ok" });
  expect(reproduceDocumentSchema.parse(JSON.parse(stdout))).toEqual({
    ...{ schema: "bh-bridge/reproduce@1", run: copy, steps, equal: true, first: null, loss: null, environment: [] },
  });
  const { environment } = JSON.parse(readFileSync(join(copy, "run.json"), "utf8"));
  expect(readRunNotes(copy).reproductions).toEqual([{ at: expect.stringMatching(/^20\d\d-/), steps, equal: true, environment }]);
  expect(ours(temporary)).toEqual([]);
  expect(readdirSync(copy, { recursive: true }).sort()).toEqual([...before, "notes.json"].sort());
});

test("fewer steps are trained on the same schedule, and what differs in the environment is told", async () => {
  const copy = copyOf("elsewhere", ({ environment }) => ({ environment: { ...environment, torch: "2.0.0" } }));
  const { stdout, exitCode } = await run(["reproduce", copy, "--steps", "30"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Equal in every bit up to step 30\nChanges in the environment:\n {2}torch {2}2\.0\.0 → 2\.\d+/);
  expect(readRunNotes(copy).reproductions).toMatchObject([{ steps: 30, equal: true }]);
});

test("the first other bit ends the training, and is told with exit code 1", async () => {
  const copy = copyOf("flipped");
  recordOtherNumber(copy, { snapshot: 20, token: 17, component: 5 });
  const { exitCode, stdout, stderr } = await run(["reproduce", copy, "--progress", "json"]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^Not equal\n {2}The history differs first at step 20, wte, token 17, component 5: \S+ and \S+, 1 ULP apart\n/);
  const trained = progressLines(stderr).flatMap((line) => (line.type === "train" ? [line.event.global_step] : []));
  expect(Math.max(...trained)).toBeGreaterThanOrEqual(20);
  expect(Math.max(...trained)).toBeLessThan(steps);
  expect(readRunNotes(copy).reproductions).toMatchObject([{ equal: false }]);
});

test("a flipped bit is reported as damage, and no verdict is noted", async () => {
  const copy = copyOf("damaged");
  damageNumber(copy, { snapshot: 20, token: 17, component: 5 });
  const { exitCode, stdout } = await run(["reproduce", copy, "--steps", "30", "--json"]);
  expect(exitCode).toBe(1);
  const message = expect.stringContaining("history.safetensors is damaged at step 20, token 17, component 5: ");
  expect(JSON.parse(stdout)).toMatchObject({ code: "RUN_CORRUPT", message });
  expect(readRunNotes(copy).reproductions).toEqual([]);
});

test("Ctrl-C ends it after a step, says how far it was equal, and leaves nothing", async () => {
  const copy = copyOf("stopped");
  const temporary = join(folder.path, "temporary-of-stopped");
  mkdirSync(temporary);
  const process = start(["reproduce", copy, "--json"], { env: { TMPDIR: temporary } });
  const hasStepped = () => readdirSync(temporary, { recursive: true, encoding: "utf8" }).some((name) => name.endsWith("events.jsonl") && sizeOf(name) > 2000);
  const sizeOf = (name: string) => readFileSync(join(temporary, name)).length;
  expect(await eventually(hasStepped, 60_000)).toBe(true);
  process.kill("SIGINT");
  const { exitCode, stdout } = await process;
  expect(exitCode).toBe(130);
  expect(JSON.parse(String(stdout))).toMatchObject({
    code: "ABORTED",
    message: expect.stringMatching(/^training again was stopped; it was equal in every bit to step \d+$/),
  });
  expect(ours(temporary)).toEqual([]);
  expect(readRunNotes(copy).reproductions).toEqual([]);
});

test.each([
  [
    "another corpus",
    ({ corpus }: Record<string, object>) => ({ corpus: { ...corpus, sha256: "0".repeat(64) } }),
    [],
    "RESUME_MISMATCH: the corpus has changed",
  ],
  ["a model that a program changed", () => ({ model_changes: ["setTensor wte"] }), [], "USAGE: .* because a program changed its model: setTensor wte"],
  ["more steps than there are", () => ({}), ["--steps", "300"], "USAGE: .* has recorded 240 steps, not 300"],
])("%s is refused", async (name, change, options, message) => {
  const { exitCode, stderr } = await run(["reproduce", copyOf(name, change), ...options]);
  expect(exitCode).not.toBe(0);
  expect(stderr.replaceAll("\n", " ")).toMatch(new RegExp(message));
});
