import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { type TrainResult, trainResultSchema } from "../../src/runner/train-result.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { researchersCorpus, run, temporaryFolder } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const common = ["--device", "cpu", "--threads", "1", "--set", "training.logging_steps=10"];

describe.each([
  { preset: "rmsnorm-11.2a", norm: "rmsnorm", parameters: 116_160, corpusOf: builtInPath },
  {
    preset: "layernorm-control",
    norm: "layernorm",
    parameters: 116_480,
    corpusOf: () => (existsSync(researchersCorpus) ? researchersCorpus : builtInPath()),
  },
])("train --preset $preset", ({ preset, norm, parameters, corpusOf }) => {
  let corpus: string;
  let result: TrainResult;
  let stderr: string;

  beforeAll(async () => {
    corpus = corpusOf();
    // With the first preset Python says things on both outputs at every turn: none of it may reach the document.
    const noise = join(folder.path, `noise-${norm}`);
    await execa("mkdir", ["-p", noise]);
    writeFileSync(join(noise, "sitecustomize.py"), "import os, sys\nprint('noise'); os.write(1, b'more noise\\n'); print('even more', file=sys.stderr)\n");
    const ended = await run(["train", "--preset", preset, "--corpus", corpus, "--steps", "30", ...common, "--out", join(folder.path, preset), "--json"], {
      env: norm === "rmsnorm" ? { PYTHONPATH: noise } : {},
    });
    stderr = ended.stderr;
    expect(ended.exitCode, stderr).toBe(0);
    result = trainResultSchema.parse(JSON.parse(ended.stdout));
  });

  test("records the history of a plain Python script, bit for bit, with its losses", async () => {
    const out = join(folder.path, "plain");
    const script = readFileSync(join(import.meta.dirname, "plain_training.py"), "utf8");
    const printed = await printedBy(script, [corpus, preset, "--steps", "30", "--threads", "1", "--logging-steps", "10", "--out", out]);
    const recorded = tensorBytes(join(result.run, "history.safetensors"), "embedding_history");
    expect(recorded.byteLength).toBe(31 * 128 * 64 * 2);
    expect(recorded.equals(tensorBytes(join(out, `${preset}.safetensors`), "embedding_history"))).toBe(true);
    expect(result.loss).toEqual(JSON.parse(printed.trim().split("\n").at(-1) ?? "").losses);
  });

  test("counts parameters, corpus and black holes as numpy does", async () => {
    expect(result.parameters).toBe(parameters);
    const script = `
import json, sys, torch
from safetensors.torch import load_file
history = load_file(sys.argv[1])["embedding_history"].float()
text = open(sys.argv[2], encoding="ascii").read()
_, counts = torch.unique(history[-1], dim=0, return_counts=True)
print(json.dumps([len(text), len(set(text)), len(counts), sorted([int(n) for n in counts if n > 1], reverse=True),
  (history[-1].mean(0) - history[0].mean(0)).norm().item()]))`;
    const [tokens, distinct, unique, populations, displacement] = JSON.parse(await printedBy(script, [join(result.run, "history.safetensors"), corpus]));
    expect(result.corpus).toMatchObject({ tokens, distinct, dead: 128 - distinct, windows: tokens - 128 });
    expect(result.census).toMatchObject({ rows: 128, unique, populations, C: populations.length });
    expect(result.displacement.float32).toBeCloseTo(displacement, 5);
  });

  test("finds no split in live tokens that have not parted after 30 steps", () => {
    expect(result.verdict.result).toBe("null");
    expect(result.verdict.reason).toContain(`the ${result.corpus.dead} dead tokens of the black hole at the start are still together`);
  });

  test("leaves a whole run behind", () => {
    const files = readdirSync(result.run);
    expect(files).toEqual(
      expect.arrayContaining(["config.json", "run.json", "events.jsonl", "history.safetensors", "history.idx", "analysis.json", "python.log", "final"]),
    );
    const steps = readFileSync(join(result.run, "events.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line.includes('"step_end"'))
      .map((line) => JSON.parse(line).global_step);
    expect(steps).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  test("saves a model that plain transformers loads", async () => {
    const script = `
import sys, torch
from transformers import AutoModelForCausalLM
from safetensors.torch import load_file
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], trust_remote_code=True)
last = load_file(sys.argv[2])["embedding_history"][-1]
print(sum(p.numel() for p in model.parameters()), torch.equal(model.transformer.wte.weight.to(last.dtype), last))`;
    const printed = await printedBy(script, [join(result.run, "final"), join(result.run, "history.safetensors")]);
    expect(printed.trim().split("\n").at(-1)).toBe(`${parameters} True`);
  });

  test("writes plain lines where there is no terminal", () => {
    expect(stderr).toMatch(/Changed from/);
    const [pitfalls, starting] = ["labels are shifted twice: position t learns token t+2", ": starting"].map((text) => stderr.indexOf(text));
    expect([pitfalls, starting].every((index) => index !== undefined && index > 0)).toBe(true);
    expect(pitfalls).toBeLessThan(starting ?? 0); // before Python is started
    expect([...stderr].filter((character) => character === "\r" || character === "\u001b")).toEqual([]);
  });
});
