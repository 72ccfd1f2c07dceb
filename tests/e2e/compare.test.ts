import { cpSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompareDocument, compareDocumentSchema } from "../../src/commands/documents.js";
import { verifyRun } from "../../src/runs/verify-run.js";
import { damageNumber, recordOtherNumber } from "./flip-bit.js";
import { run, temporaryFolder } from "./program.js";
import { trainTogether } from "./train-together.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const small = {
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 40, per_device_train_batch_size: 4, logging_steps: 10 },
};

async function compare(...args: string[]): Promise<{ exitCode: number | undefined; document: CompareDocument }> {
  const { exitCode, stdout } = await run(["compare", ...args, "--json"]);
  return { exitCode, document: compareDocumentSchema.parse(JSON.parse(stdout)) };
}

let [a, b, c]: string[] = [];
beforeAll(async () => {
  [a, b, c] = await trainTogether(join(folder.path, "runs"), small, { ...small, name: "other name" }, { ...small, seed: 7 });
});
const runs = () => [a ?? "", b ?? "", c ?? ""] as const;

test("runs of one configuration are equal in every part, whatever they are called", async () => {
  const [a, b] = runs();
  const { exitCode, document } = await compare(a, b, "--assert-equal", "history,loss,config,final");
  expect(exitCode).toBe(0);
  expect(document.differences).toEqual({ config: [], data: [], environment: [], code: [] });
  expect(document.history).toEqual([{ a, b, equal: true, first: null, equalTo: 40, reason: null }]);
  expect(document.results.every(({ difference }) => difference.every((far) => far === 0 || far === null))).toBe(true);
});

test("names, paths and times are told when they are asked for", async () => {
  const [a, b] = runs();
  const { document } = await compare(a, b, "--all");
  expect(document.differences.config).toEqual([{ path: "name", values: [null, "other name"] }]);
  expect(document.differences.code.map(({ path }) => path)).toEqual(["name", "created", "ended"]);
  expect(document.results.map(({ path }) => path)).toContain("seconds");
});

test("another seed is the difference, and the first bit that it changed is told", async () => {
  const [a, , c] = runs();
  const { exitCode, document } = await compare(a, c, "--assert-equal", "loss,history");
  expect(exitCode).toBe(1);
  expect(document.differences).toEqual({ config: [{ path: "seed", values: [42, 7] }], data: [], environment: [], code: [] });
  expect(document.history[0]).toMatchObject({ equal: false, equalTo: null, first: { step: 0, tensor: "wte", token: 0 } });
  expect(document.loss[0]?.equal).toBe(false);
  expect(document.final[0]?.equal).toBe(false);
  expect((await compare(a, c)).exitCode).toBe(0);
});

test("one other bit of a history is found where it is", async () => {
  const [a] = runs();
  const copy = join(folder.path, "other");
  cpSync(a, copy, { recursive: true });
  recordOtherNumber(copy, { snapshot: 33, token: 17, component: 5 });
  expect((await verifyRun(copy)).problems).toEqual([]);
  const { exitCode, document } = await compare(a, copy, "--assert-equal", "history");
  expect(exitCode).toBe(1);
  expect(document.history[0]).toMatchObject({ equalTo: 32, first: { step: 33, tensor: "wte", token: 17, component: 5, ulp: 1 } });
  expect([document.loss[0]?.equal, document.final[0]?.equal]).toEqual([true, true]);
});

test("a flipped bit of a history is damage, and not a difference", async () => {
  const [a] = runs();
  const copy = join(folder.path, "damaged");
  cpSync(a, copy, { recursive: true });
  damageNumber(copy, { snapshot: 33, token: 17, component: 5 });
  const { exitCode, stdout } = await run(["compare", a, copy, "--json"]);
  expect(exitCode).toBe(1);
  const message = expect.stringContaining(`${join(copy, "history.safetensors")} is damaged at step 33, token 17, component 5: `);
  expect(JSON.parse(stdout)).toMatchObject({ code: "RUN_CORRUPT", message });
});

test("a run without an end is compared as far as it goes", async () => {
  const [a] = runs();
  const copy = join(folder.path, "unended");
  cpSync(a, copy, { recursive: true });
  rmSync(join(copy, "final"), { recursive: true });
  const { exitCode, document } = await compare(a, copy, "--assert-equal", "final");
  expect([exitCode, document.final[0]?.reason]).toEqual([1, "there is no final model in b"]);
});

test("several runs are shown side by side, each against the first", async () => {
  const { stdout, exitCode } = await run(["compare", ...runs()]);
  expect(exitCode).toBe(0);
  for (const directory of runs()) expect(stdout).toContain(basename(directory));
  expect(stdout).toMatch(/seed {2}42 {2}42 {2}7\n/);
  expect(stdout).toMatch(/A, B {2}history {2}equal\n/);
  expect(stdout).toMatch(/A, C {2}history {2}differs first at step 0, wte, token 0/);
});

test("a part that cannot be compared names the nearest, and one run is not enough", async () => {
  const [a, b] = runs();
  expect((await run(["compare", a, b, "--assert-equal", "histroy"])).stderr).toContain("did you mean history?");
  expect((await run(["compare", a])).exitCode).toBe(2);
});
