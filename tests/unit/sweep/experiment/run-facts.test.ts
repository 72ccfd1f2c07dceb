import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { readRunFacts, recordedPackages } from "../../../../src/sweep/experiment/run-facts.js";
import { expectedFrom, python, temporaryDirectory } from "../../formats/reference-python.js";
import { tinyRun } from "./tiny-run.js";

const out = temporaryDirectory();

test("the facts of a run are those that Python finds in its files and in itself", async () => {
  await using bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
  const run = await tinyRun(bridge, out);
  const program = `
import sys, json, hashlib
from importlib.metadata import version
import torch
from safetensors.torch import load_file
embedding = load_file(sys.argv[1] + "/history.safetensors")["embedding_history"][0]
model = load_file(sys.argv[1] + "/final/model.safetensors")
print(json.dumps({
    "embedding": hashlib.sha256(embedding.view(torch.int16).numpy().tobytes()).hexdigest(),
    "parameters": sum(tensor.numel() for tensor in model.values()),
    "numpy": version("numpy"),
    "corpus": hashlib.sha256(open(sys.argv[1] + "/../corpus.txt", "rb").read()).hexdigest(),
}))`;
  const expected = expectedFrom<Record<"embedding" | "parameters" | "numpy" | "corpus", string>>(program, run);
  const facts = await readRunFacts(run);
  expect(facts.initialTensors).toEqual({ "transformer.wte.weight": expected.embedding });
  expect((await readRunFacts(run, async () => ({ "other.weight": "0", "tok.weight": expected.embedding }))).embedding).toBe("tok.weight");
  expect(facts.parameters).toBe(expected.parameters);
  expect(facts.corpus.sha256).toBe(expected.corpus);
  expect(facts.windowOrder).toMatch(/^[0-9a-f]{64}$/);
  expect(facts.environment).toMatchObject({ threads: 1, numpy: expected.numpy });
  expect(facts.packages).toMatchObject({ "Python package numpy": expected.numpy, "npm package zod": expect.stringMatching(/^4\./) });
  expect(facts.config.model).toMatchObject({ n_embd: 16 });
});

const directory = temporaryDirectory();

function runWith(name: string, files: Record<string, string>): string {
  const run = join(directory, name);
  mkdirSync(run);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(run, file), text);
  return run;
}

test("versions are of both processes, by kind and name; a package that was not found has none", () => {
  const run = runWith("both", {
    "environment.python.json": '{"python":"3.11","packages":{"numpy":"2.4.6"}}',
    "environment.node.json": '{"node":"v20","packages":{"zod":"4.6.0","gone":null}}',
  });
  expect(recordedPackages(run)).toEqual({ "Python package numpy": "2.4.6", "npm package zod": "4.6.0" });
});

test("a process that wrote nothing has no packages, and damage is told", () => {
  expect(recordedPackages(runWith("none", {}))).toEqual({});
  expect(() => recordedPackages(runWith("damaged", { "environment.node.json": "{" }))).toThrow(expect.objectContaining({ code: "RUN_CORRUPT" }));
});
