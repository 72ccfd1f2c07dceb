import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { type TrainResult, trainResultSchema } from "../../src/runner/train-result.js";
import { readEvents } from "../../src/runs/read-events.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { expectedFrom, printedBy } from "../unit/formats/reference-python.js";
import { run, temporaryFolder } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const steps = 100;
const corpus = join(folder.path, "text.txt");
const plain = join(folder.path, "plain");
/** The preset, but for its sizes: a tenth of a step's products. Five epochs. */
const small = ["model.vocab_size=300", "model.n_positions=32", "training.per_device_train_batch_size=16", "checkpoint.every=40"];
const settings = ["--preset", "crucible-1", "--corpus", corpus, "--device", "cpu", "--threads", "1", ...small.flatMap((setting) => ["--set", setting])];

interface PlainTraining {
  chunks: number;
  losses: number[];
}

let expected: PlainTraining;
let result: TrainResult;

beforeAll(async () => {
  const text = readFileSync(builtInPath(), "utf8");
  writeFileSync(corpus, text.slice(0, 20_000));
  const script = readFileSync(join(import.meta.dirname, "plain_tinylm.py"), "utf8");
  const sizes = ["--steps", String(steps), "--vocab", "300", "--positions", "32", "--batch", "16"];
  const env = { XDG_CACHE_HOME: join(folder.path, "cache") };
  const [printed, trained] = await Promise.all([
    printedBy(script, [corpus, plain, ...sizes]),
    run(["train", ...settings, "--steps", String(steps), "--out", join(folder.path, "runs"), "--json"], { env }),
  ]);
  expect(trained.stdout, trained.stderr).not.toBe("");
  expected = JSON.parse(printed);
  result = trainResultSchema.parse(JSON.parse(trained.stdout));
}, 240_000);

test("the first 100 steps of crucible-1 equal a plain loop, bit for bit", () => {
  const recorded = tensorBytes(join(result.run, "history.safetensors"), "embedding_history");
  expect(recorded.byteLength).toBe((steps + 1) * result.corpus.dead * 64 * 2);
  expect(recorded.equals(tensorBytes(join(plain, "history.safetensors"), "embedding_history"))).toBe(true);
  const losses = readEvents(result.run).flatMap((event) => (event.type === "step_end" ? [event.loss] : []));
  expect(losses).toEqual(expected.losses);
  expect(result.corpus.windows).toBe(expected.chunks);
});

test("all weights at the end are those of the plain loop, and plain transformers opens them", () => {
  const opened = expectedFrom(
    `
import json, sys
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
final, plain = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(final, trust_remote_code=True)
ours, theirs = dict(model.named_parameters()), load_file(plain)
theirs["embedding.weight"] = theirs.pop("tokens.weight")
text = AutoTokenizer.from_pretrained(final, trust_remote_code=True)("It was a man")
with torch.no_grad():
    logits = model(**text.convert_to_tensors("pt", prepend_batch_axis=True)).logits
print(json.dumps([ours.keys() == theirs.keys(), all(torch.equal(ours[name], theirs[name]) for name in ours), logits.shape[-1]]))
`,
    join(result.run, "final"),
    join(plain, "final.safetensors"),
  );
  expect(opened).toEqual([true, true, 300]);
});

test("the run keeps the tokenizer that was trained for it, with its hash", () => {
  const kept = readFileSync(join(result.run, "tokenizer.json"));
  expect(readRunManifest(result.run).corpus.tokenizer?.sha256).toBe(createHash("sha256").update(kept).digest("hex"));
});
