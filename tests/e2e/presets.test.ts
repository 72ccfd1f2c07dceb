import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bridge } from "../../src/bridge/bridge.js";
import { corpusOf } from "../../src/bridge/corpus.js";
import { TrainerCallback } from "../../src/bridge/trainer-callback.js";
import { presetNames } from "../../src/config/presets.js";
import { resolveRunConfig } from "../../src/config/resolve-run-config.js";
import { repetitions } from "../repetitions.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { temporaryFolder, warmPython } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

/** Crucible 1 is compared in tinylm.test.ts, at a size that takes seconds. */
const compared = presetNames.filter((name) => name !== "crucible-1");
const steps = Number(process.env["PRESET_STEPS"] ?? repetitions(5, 10));
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

let bridge: Bridge;
let plain: Promise<unknown>;
beforeAll(async () => {
  const { path: corpus } = await corpusOf(await resolveRunConfig());
  const script = readFileSync(join(import.meta.dirname, "plain_training.py"), "utf8");
  const options = ["--steps", String(steps), "--threads", "1", "--logging-steps", "50", "--out", folder.path, "--stop-early"];
  plain = printedBy(script, [corpus, ...compared, ...options]); // beside ours: it takes as long
  plain.catch(() => undefined);
  bridge = await Bridge.start({ python: warmPython, threads: 1, device: "cpu" });
});
afterAll(async () => {
  await bridge.close();
  await plain.catch(() => undefined);
});

class StopsEarly extends TrainerCallback {
  override decide = { every: steps, ask: () => ({ should_training_stop: true }) };
}

test.each(compared)("the first steps of %s equal those of the experiment's own script, bit for bit", { timeout: 600_000 }, async (preset) => {
  const resolved = await resolveRunConfig({ preset, aliases: { device: "cpu" } });
  const model = await bridge.buildModel(resolved.config);
  const corpus = await corpusOf(resolved);
  await using trainer = bridge.trainerOf({ resolved, model, corpus, out: folder.path, callbacks: [new StopsEarly()] });
  const { run } = await trainer.train();
  await plain;
  for (const name of resolved.config.record.tensors) {
    const [file, tensor] = name === "wte" ? ["history", "embedding_history"] : [`history.${name}`, name];
    const recorded = tensorBytes(join(run, `${file}.safetensors`), tensor);
    expect(recorded.byteLength).toBe((steps + 1) * 128 * 64 * 2);
    expect(recorded.equals(tensorBytes(join(folder.path, `${preset}.safetensors`), tensor)), name).toBe(true);
  }
});
