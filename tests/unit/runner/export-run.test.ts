import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { exportRun, inspect, type StartingPoint, startFrom, train } from "../../../src/index.js";
import { expectedFrom, python, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();
const out = (name: string): string => join(directory, name);
const steps = 3;
let run = "";

const short = { preset: "quick", training: { max_steps: steps, logging_steps: 1 }, device: "cpu", threads: 1, python } as const;

beforeAll(async () => {
  run = (await train(short, { out: directory })).directory;
});

/** The bits of a state as Python reads them from the run. */
const bitsOf = (step: number) =>
  expectedFrom<number[]>(
    `
import sys, json, torch
from safetensors.torch import load_file
print(json.dumps(load_file(sys.argv[1] + "/history.safetensors")["embedding_history"][int(sys.argv[2])].view(torch.int16).flatten().tolist()))`,
    run,
    String(step),
  );

describe("exportRun", () => {
  test("gives one state to numpy with the bits that were recorded, and says what it wrote", async () => {
    const exported = await exportRun(run, { to: "npy", out: out("state.npy"), step: 2 });
    expect(exported).toEqual({
      source: run,
      to: "npy",
      out: out("state.npy"),
      tensor: "embedding_history",
      shape: [128, 64],
      bytes: statSync(out("state.npy")).size,
    });
    const read = `
import sys, json, torch, numpy
print(json.dumps(torch.tensor(numpy.load(sys.argv[1])).bfloat16().view(torch.int16).flatten().tolist()))`;
    expect(expectedFrom(read, out("state.npy"))).toEqual(bitsOf(2));
  });

  test("gives the final model to transformers, with a model card and without a command", async () => {
    chmodSync(join(run, "final/model.safetensors"), 0o600); // as older versions left it
    const exported = await exportRun(run, { to: "hf", out: out("model") });
    const files = readdirSync(out("model"));
    expect(files).toEqual(expect.arrayContaining(["README.md", "config.json", "model.safetensors"]));
    expect(exported).toEqual({
      source: run,
      to: "hf",
      out: out("model"),
      bytes: files.reduce((sum, name) => sum + statSync(join(out("model"), name)).size, 0),
    });
    expect(new Set(files.map((name) => statSync(join(out("model"), name)).mode & 0o777))).toEqual(new Set([0o666 & ~process.umask()]));
    expect(await inspect(out("model"))).toMatchObject({ kind: "hf-checkpoint" });
  });

  test.each([
    ["a model of a step that the run lacks", { to: "hf", out: "x", step: 99 }, /has recorded the steps 0 to 3, not 99/],
    ["the optimizer of a history", { to: "npy", out: "x", step: 1, optimizer: true }, /optimizer requires to "hf" and a step/],
    ["a tensor of a model", { to: "hf", out: "x", tensor: "wte" }, /tensor does not go with to "hf"/],
    ["a format that there is not", { to: "xlsx", out: "x" }, /to: "xlsx" is not accepted/],
    ["a step that is half one", { to: "csv", out: "x", step: 0.5 }, /step: 0.5 is not accepted/],
    ["no place", { to: "csv" }, /out: is missing/],
    ["a step that was not recorded", { to: "csv", out: "x", step: 99 }, /99/],
  ])("refuses %s, and makes nothing", async (_, options, message) => {
    const place = "out" in options ? { out: out("refused") } : {};
    await expect(exportRun(run, { ...options, ...place } as never)).rejects.toMatchObject({ code: "USAGE", message: expect.stringMatching(message) });
    expect(existsSync(out("refused"))).toBe(false);
  });
});

describe("startFrom", () => {
  test("of a step gives its embedding and the sizes that go with it, and a training starts with exactly those bits", async () => {
    const start: StartingPoint = await startFrom(run, { step: 2 });
    expect(start).toEqual({ init: { kind: "file", path: run, step: 2 }, model: { vocab_size: 128, n_embd: 64 } });
    const next = await train({ ...short, ...start }, { out: directory });
    const first = `
import sys, json, torch
from safetensors.torch import load_file
print(json.dumps(load_file(sys.argv[1] + "/history.safetensors")["embedding_history"][0].view(torch.int16).flatten().tolist()))`;
    expect(expectedFrom(first, next.directory)).toEqual(bitsOf(2));
    expect(JSON.parse(readFileSync(join(next.directory, "config.json"), "utf8"))).toMatchObject({ init: { kind: "file", step: 2 } });
  });

  test("of a run gives its final model, of a checkpoint the checkpoint", async () => {
    expect(await startFrom(run)).toEqual({ model: { from: join(run, "final") } });
    expect(await startFrom(out("model"))).toEqual({ model: { from: out("model") } });
  });

  test("a step that was not recorded, and one that is none, are refused", async () => {
    await expect(startFrom(run, { step: 99 })).rejects.toMatchObject({ code: "USAGE" });
    await expect(startFrom(run, { step: -1 })).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("step: -1 is not accepted") });
  });
});
