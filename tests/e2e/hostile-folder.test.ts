import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Options } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { serveDocumentSchema } from "../../src/serve/documents.js";
import { freePort } from "./free-port.js";
import { HostileFolder } from "./hostile-folder.js";
import { python, run, start, temporaryFolder } from "./program.js";

// tests/e2e/ray.test.ts and slurm.test.ts do the same on clusters.
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const hostile = new HostileFolder(folder.path);
const at = (name: string) => join(folder.path, name);

const sizes = ["model.n_embd=8", "model.n_layer=1", "model.n_positions=16", "training.per_device_train_batch_size=4", "exact_step=off"];
const tiny = ["--corpus", "corpus.txt", "--device", "cpu", "--threads", "1", "--steps", "2", ...sizes.flatMap((size) => ["--set", size])];
let trained = "";

/** An interpreter that starts with nothing imported, and an entry of PYTHONPATH that stands for the working folder without naming it. */
const surroundings: Options = { cwd: hostile.path, env: { BH_BRIDGE_PYTHON: python, PYTHONPATH: ":" } };

/** Run a command there. @returns its exit code, what it executed of the folder, and what it printed. */
async function there(...args: string[]) {
  const { exitCode, stdout, stderr } = await run([...args, "--json"], surroundings);
  return { exitCode, executed: hostile.executed(), stdout, stderr };
}
const harmless = { exitCode: 0, executed: "" };

beforeAll(async () => {
  const ended = await there("train", ...tiny, "--out", at("runs"));
  expect(ended, ended.stderr).toMatchObject(harmless);
  trained = trainResultSchema.parse(JSON.parse(ended.stdout)).run;
});

test.each<[what: string, command: () => string[]]>([
  ["train with two processes", () => ["train", ...tiny, "--nproc", "2", "--out", at("two")]],
  ["reproduce", () => ["reproduce", trained]],
  ["experiment", () => ["experiment", "rmsnorm-vs-layernorm", ...tiny, "--seeds", "1", "--workers", "1", "--out", at("experiments")]],
  ["doctor", () => ["doctor"]],
  ["tokenizer train", () => ["tokenizer", "train", "--kind", "char-bpe", "--corpus", "corpus.txt", "--vocab", "100", "--out", at("tokenizer.json")]],
  ["simulate", () => ["simulate", "normal", "--draws", "2"]],
  ["report", () => ["report", trained, "-o", at("report.html")]],
  ["runs", () => ["runs", "--out", at("runs")]],
])("nothing of the working folder is executed by %s", async (_, command) => {
  const ended = await there(...command());
  expect(ended, ended.stderr).toMatchObject(harmless);
});

test("nothing of the working folder is executed by a sweep whose points Optuna chooses", async () => {
  const over = { "training.learning_rate": { log: [1e-4, 1e-3] } };
  writeFileSync(at("search.json"), JSON.stringify({ base: {}, seeds: [1], optuna: { trials: 1, seed: 7, minimize: "unique", over } }));
  const ended = await there("sweep", at("search.json"), ...tiny, "--out", at("sweeps"));
  expect(ended, ended.stderr).toMatchObject(harmless);
});

test("nothing of the working folder is executed by two machines that share a training", async () => {
  const nodes = ["--nnodes", "2", "--nproc", "1", "--rdzv-endpoint", `127.0.0.1:${await freePort()}`, "--rdzv-id", "hostile", "--out", at("nodes")];
  const other = there("train", ...tiny, ...nodes, "--node-rank", "1");
  const ended = await there("train", ...tiny, ...nodes, "--node-rank", "0");
  expect(ended, ended.stderr).toMatchObject(harmless);
  expect(await other).toMatchObject(harmless);
});

test("nothing of the working folder is executed by serve, which looks for whoever writes a run", async () => {
  const server = start(["serve", "--port", "0", "--json", "--out", at("runs")], surroundings);
  try {
    const [line] = (await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), "line")) as [string];
    const { url } = serveDocumentSchema.parse(JSON.parse(line));
    const entered = await fetch(url, { redirect: "manual" });
    const answer = await fetch(new URL("/api/runs", url), { headers: { Cookie: entered.headers.get("set-cookie")?.split(";")[0] ?? "" } });
    expect(((await answer.json()) as { total: number }).total).toBe(1);
  } finally {
    server.kill("SIGINT");
  }
  expect({ exitCode: (await server).exitCode, executed: hostile.executed() }).toEqual(harmless);
});

test("nothing of the working folder is executed by setup, which starts venv, ensurepip and pip", async () => {
  const env = { ...surroundings.env, PIP_RETRIES: "0", PIP_NO_INDEX: "1" };
  const { exitCode, stdout } = await run(["setup", "--dir", at("venv"), "--python", python, "--json"], { ...surroundings, env });
  expect({ exitCode, executed: hostile.executed() }).toEqual({ exitCode: 3, executed: "" });
  expect(JSON.parse(stdout)).toMatchObject({ code: "SETUP_FAILED", message: expect.stringContaining("No matching distribution found") });
});
