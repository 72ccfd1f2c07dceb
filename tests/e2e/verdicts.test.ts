import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { censusDocumentSchema } from "../../src/commands/census-document.js";
import { runsDocumentSchema } from "../../src/commands/runs/runs-document.js";
import { type TrainResult, trainResultSchema } from "../../src/experiment/train-result.js";
import { python, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const corpus = join(folder.path, "corpus.txt");
const text = "All work and no play makes Jack a dull boy.\n".repeat(20);
const live = new Set(Buffer.from(text));
const dead = Array.from({ length: 128 }, (_, token) => token).filter((token) => !live.has(token));
const runs = join(folder.path, "runs");

beforeAll(() => writeFileSync(corpus, text));

const tiny = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const settings = (values: readonly string[]): string[] => values.flatMap((value) => ["--set", value]);

async function train(name: string, ...args: string[]): Promise<{ exitCode: number | undefined; result: TrainResult; stderr: string }> {
  const common = ["--device", "cpu", "--threads", "1", "--corpus", corpus, "--out", runs, "--name", name, "--json"];
  const { exitCode, stdout, stderr } = await run(["train", ...common, ...args]);
  return { exitCode, result: trainResultSchema.parse(JSON.parse(stdout)), stderr };
}

test("live tokens that have not parted are no split: they are told, and the verdict is null", async () => {
  const { exitCode, result } = await train("short", ...settings(tiny), "--steps", "3");
  expect(exitCode).toBe(0);
  expect(result.finite).toBe(true);
  expect(result.verdict.result).toBe("null");
  expect(result.verdict.reason).toContain(`the ${dead.length} dead tokens of the black hole at the start are still together`);
});

describe("a training whose weights are not numbers at its end", () => {
  let broken: TrainResult;

  test("is degenerate, and ends with exit code 1 and its document", async () => {
    const { exitCode, result } = await train("broken", ...settings([...tiny, "training.learning_rate=1e30", "training.max_grad_norm=0"]), "--steps", "12");
    broken = result;
    expect(exitCode).toBe(1);
    expect(result).toMatchObject({ status: "completed", finite: false, verdict: { result: "degenerate" } });
    expect(result.verdict.reason).toContain("the weights of 128 of 128 tokens are not finite at the end");
  });

  test("is told by runs, by its summary and by its model card", async () => {
    const list = await run(["runs", "--out", runs, "--where", "finite:no", "--json"]);
    expect(runsDocumentSchema.parse(JSON.parse(list.stdout)).runs.map((row) => row.run)).toEqual([broken.run]);
    expect((await run(["runs", "--out", runs])).stdout).toMatch(/broken.* completed, not finite /);
    const shown = await run(["runs", "show", broken.run]);
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toContain("Failed: at the end the weights are not all finite numbers");
    const card = join(folder.path, "model");
    await run(["export", broken.run, "--to", "hf", "--out", card]);
    expect((await execa("cat", [join(card, "README.md")])).stdout).toContain("| weights | not all finite: this training has failed |");
  });

  test("says of its escapes that the rows became NaN", async () => {
    const { stdout } = await run(["analyze", broken.run, "--only", "timeline"]);
    expect(stdout).toMatch(/escapes \(\d+ of rows that became NaN\)/);
    expect(stdout).toMatch(/tokens left their black holes because their rows became NaN, first at step \d+/);
  });

  test("fails again when it is only summed up", async () => {
    const { exitCode, stderr } = await run(["resume", broken.run]);
    expect(exitCode, stderr).toBe(1);
  });
});

test("rows that never were equal are degenerate, and no failure", async () => {
  const model = join(folder.path, "random");
  await execa(python, [
    "-c",
    `import sys
from transformers import GPT2Config, GPT2LMHeadModel
GPT2LMHeadModel(GPT2Config(vocab_size=128, n_positions=16, n_embd=8, n_layer=1, n_head=2)).save_pretrained(sys.argv[1])`,
    model,
  ]);
  const { exitCode, result } = await train("random", "--from", model, "--steps", "2");
  expect(exitCode).toBe(0);
  const reason = `not scored: no two of the ${dead.length} dead tokens shared a black hole at the start`;
  expect(result).toMatchObject({ finite: true, verdict: { result: "degenerate", reason } });
});

test("recorded rows of live tokens are no evidence about dead ones", async () => {
  const { result } = await train("live-rows", ...settings([...tiny, "record.rows=[97,98,99]"]), "--steps", "3");
  expect(result.verdict).toEqual({ result: "degenerate", reason: "not scored: none of the 3 rows is that of a dead token" });
});

describe("a run that recorded the rows of dead tokens alone", () => {
  let result: TrainResult;

  test("has the verdict of one that recorded all, and tokens as members", async () => {
    ({ result } = await train("dead-rows", ...settings([...tiny, "record.rows=dead"]), "--steps", "3"));
    expect(result.verdict).toEqual({ result: "null", reason: `no split: the ${dead.length} dead tokens of the black hole at the start are still together` });
    expect(result.census).toMatchObject({ rows: dead.length, C: 1, P: dead.length, members: [dead] });
    expect(result.census.texts).toEqual([dead.map((token) => String.fromCharCode(token))]);
  });

  test("is counted, analysed, inspected and exported by tokens", async () => {
    const json = async (...args: string[]) => JSON.parse((await run([...args, "--json"])).stdout);
    expect(censusDocumentSchema.parse(await json("census", result.run))).toMatchObject({ rows: dead.length, members: [dead] });
    expect((await json("census", result.run, "--rows", "0-9")).members).toEqual([dead.filter((token) => token < 10)]);
    const analysis = await json("analyze", result.run);
    expect(analysis).toMatchObject({ tokenIds: dead, finalCensus: { members: [dead] }, topology: { final: { firstTokens: [0] } } });
    expect(analysis.lifecycle.lateEnd).toHaveLength(dead.length);
    expect((await json("inspect", result.run)).history.tokenIds).toEqual(dead);
    expect((await json("export", result.run, "--to", "npy", "--out", join(folder.path, "history.npy"))).tokenIds).toEqual(dead);
  });
});
