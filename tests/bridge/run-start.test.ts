import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bridge } from "../../src/bridge/bridge.js";
import type { Model } from "../../src/bridge/model.js";
import type { TrainerOptions } from "../../src/bridge/trainer-options.js";
import { reproduce } from "../../src/compare/reproduce.js";
import { Matrix } from "../../src/formats/matrix.js";
import { findEqualRun } from "../../src/runner/find-equal-run.js";
import { openRun } from "../../src/runner/open-run.js";
import { verifyRun } from "../../src/runs/verify-run.js";
import { corpusFile } from "./corpus-file.js";
import { warmPython as python } from "./real-python.js";
import { rejectionOf } from "./rejection-of.js";

const out = mkdtempSync(join(tmpdir(), "bh-bridge-run-start-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const corpus = corpusFile(out);
const wte = "transformer.wte.weight";
const shape: readonly [number, number] = [128, 16];

let bridge: Bridge;
beforeAll(async () => {
  bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
});
afterAll(() => bridge.close());

// With dropout, so that every draw before the training would move its bits.
const newModel = () =>
  bridge.createModel({ config: { vocab_size: shape[0], n_embd: shape[1], n_layer: 1, n_head: 2, n_positions: 16, resid_pdrop: 0.1 }, seed: 1 });
const trainerOf = (model: Model, options: Omit<TrainerOptions, "model" | "data"> = {}) =>
  bridge.createTrainer({ model, data: { corpus, held_out: 0.1 }, training: { max_steps: 3 }, out, ...options });
const halves = new Matrix("F32", shape, new Uint8Array(new Float32Array(shape[0] * shape[1]).fill(0.5).buffer));

async function statesOf(run: string): Promise<string[]> {
  const states: string[] = [];
  for await (const { matrix } of (await openRun(run)).history()) states.push(Buffer.from(matrix.bytes).toString("hex"));
  return states;
}
const bitsOf = async (model: Model) => Buffer.from((await model.tensor(wte)).bytes).toString("hex");
const changesOf = (run: string): string[] => JSON.parse(readFileSync(join(run, "run.json"), "utf8")).model_changes;

test("a model that was set after an evaluation is what the run begins with, and the run says so to whoever would take it for its configuration's", async () => {
  const folder = join(out, "changed");
  const model = await newModel();
  const trainer = await trainerOf(model, { out: folder });
  await trainer.evaluate();
  await model.setTensor(wte, halves);
  const began = await bitsOf(model);
  const { run } = await trainer.train();
  expect((await statesOf(run))[0]).toBe(began);
  expect(new Set((await statesOf(run))[0]?.match(/.{4}/g))).toEqual(new Set(["003f"])); // 0.5 in bfloat16, little-endian
  expect(changesOf(run)).toEqual([`${wte} was set`]);
  expect((await verifyRun(run)).problems).toEqual([]);
  expect(await rejectionOf(reproduce(run, { python }))).toMatchObject({ code: "USAGE", message: expect.stringContaining(`${wte} was set`) });
  const { config } = await openRun(run);
  expect(await findEqualRun({ ...config, python }, { out: folder })).toBeUndefined();
});

test("what is drawn between preparation and training changes no bit of the run", async () => {
  const plain = await (await trainerOf(await newModel())).train();
  const model = await newModel();
  const trainer = await trainerOf(model);
  await trainer.evaluate();
  await model.generate([1, 2, 3], { max_new_tokens: 4, do_sample: true, seed: 99 });
  await newModel();
  const busy = await trainer.train();
  expect(await statesOf(busy.run)).toEqual(await statesOf(plain.run));
  expect(changesOf(busy.run)).toEqual([]);
  expect(await reproduce(busy.run, { python })).toMatchObject({ equal: true, steps: 3 });
});

test("of two trainers that one model was prepared for, the second begins where the first has ended, and names it", async () => {
  const model = await newModel();
  const [first, second] = [await trainerOf(model), await trainerOf(model)];
  await first.prepare();
  await second.prepare();
  const one = await first.train();
  const two = await second.train();
  expect((await statesOf(two.run))[0]).toBe((await statesOf(one.run)).at(-1));
  expect(changesOf(two.run)).toEqual([`trained in ${one.run}`]);
});

test("two trainings of one model at the same time are refused, and the second trainer can train afterwards", async () => {
  const model = await newModel();
  const [first, second] = [await trainerOf(model), await trainerOf(model)];
  const training = first.train();
  expect(await rejectionOf(second.train())).toMatchObject({ code: "USAGE", message: expect.stringContaining("is being trained by another trainer") });
  const one = await training;
  expect(changesOf((await second.train()).run)).toEqual([`trained in ${one.run}`]);
});

test("a change that is under way when the training is asked for is part of its beginning", async () => {
  const model = await newModel();
  const trainer = await trainerOf(model);
  await trainer.prepare();
  const before = model.setTensor(wte, halves);
  const training = trainer.train();
  await before;
  const { run } = await training;
  expect(changesOf(run)).toEqual([`${wte} was set`]);
  expect(new Set((await statesOf(run))[0]?.match(/.{4}/g))).toEqual(new Set(["003f"]));
});

test("a change that was cancelled may have been made, and a model that took a checkpoint is not the new one that it was", async () => {
  const model = await newModel();
  const controller = new AbortController();
  const cancelled = rejectionOf(model.setTensor(wte, halves, { signal: controller.signal }));
  controller.abort();
  expect(await cancelled).toMatchObject({ code: "ABORTED" });
  const stopping = await trainerOf(model, { training: { max_steps: 50 } });
  const stop = new AbortController();
  stopping.onEvent(({ global_step }) => global_step === 2 && stop.abort());
  const stopped = await stopping.train({ signal: stop.signal });
  expect(stopped.status).toBe("stopped");
  expect(changesOf(stopped.run)).toEqual([`${wte} may have been set: the call was cancelled`]);

  const other = await newModel();
  await (await trainerOf(other, { training: { max_steps: 50 } })).prepareResume(stopped.run);
  const { run } = await (await trainerOf(other)).train();
  expect(changesOf(run)).toEqual([`its weights were replaced by those of a checkpoint of ${stopped.run}`]);
});
