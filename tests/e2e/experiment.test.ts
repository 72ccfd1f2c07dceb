import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ProgressLine } from "../../src/commands/terminal/terminal-documents.js";
import { type ExperimentDocument, experimentDocumentSchema } from "../../src/sweep/experiment/experiment-summary.js";
import { run, temporaryFolder, withoutTorch } from "./program.js";
import { progressLines } from "./progress-lines.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const file = join(folder.path, "norms.json");
const out = join(folder.path, "experiments");

async function experiment(...args: string[]): Promise<{ document: ExperimentDocument; exitCode: number | undefined; stderr: string }> {
  const ended = await run(["experiment", ...args, "--out", out, "--json"]);
  expect(ended.stdout, ended.stderr).not.toBe("");
  return { document: experimentDocumentSchema.parse(JSON.parse(ended.stdout)), exitCode: ended.exitCode, stderr: ended.stderr };
}

describe("two norms over two seeds", () => {
  let first: ExperimentDocument;
  let told: ProgressLine[];

  beforeAll(async () => {
    const base = {
      device: "cpu",
      model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
      training: { max_steps: 20, per_device_train_batch_size: 4, logging_steps: 10 },
    };
    writeFileSync(file, JSON.stringify({ base, arms: { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} }, seeds: "42..43" }));
    const ended = await experiment(file, "--workers", "2", "--progress", "json");
    expect(ended.exitCode, ended.stderr).toBe(0);
    told = progressLines(ended.stderr);
    first = ended.document;
  }, 240_000);

  test("--progress json tells every trial and the end", () => {
    const kinds = told.flatMap((line) => (line.type === "trial" ? [line.event.kind] : []));
    expect([kinds[0], kinds.filter((kind) => kind === "started").length, kinds.at(-1)]).toEqual(["planned", 4, "ended"]);
    expect(told.at(-1)).toEqual({ schema: "bh-bridge/progress@1", type: "end", status: "ok", exitCode: 0 });
  });

  test("each arm has a run of each seed, and two seeds decide nothing", () => {
    expect(first.control.map(({ arm, seed }) => [arm, seed])).toEqual([
      ["layernorm", 42],
      ["layernorm", 43],
    ]);
    expect(first.treatment.map(({ arm, seed }) => [arm, seed])).toEqual([
      ["rmsnorm", 42],
      ["rmsnorm", 43],
    ]);
    expect(first.verdict).toMatchObject({ result: "inconclusive", reason: expect.stringContaining("2 pairs of seeds cannot give a verdict") });
  });

  test("the weight-decay confound is named, and every tensor before the first step was compared", () => {
    expect(first.confounds.map(({ what }) => what)).toEqual(expect.arrayContaining([expect.stringMatching(/weight decay of the norms' weights/)]));
    expect(first.comparedTensors).toContain("transformer.h.0.attn.c_attn.weight");
  });

  test("the directory has plan with rules, ledger, result and summary", () => {
    expect(readdirSync(first.directory).sort()).toEqual(["initial-tensors.json", "ledger.jsonl", "plan.json", "result.json", "run.lock", "runs", "summary.md"]);
    expect(JSON.parse(readFileSync(join(first.directory, "plan.json"), "utf8")).question).toMatchObject({
      arms: ["layernorm", "rmsnorm"],
      seeds: [42, 43],
      rulesHash: first.verdict.rulesHash,
    });
    expect(experimentDocumentSchema.parse(JSON.parse(readFileSync(join(first.directory, "result.json"), "utf8")))).toEqual(first);
    expect(readFileSync(join(first.directory, "summary.md"), "utf8")).toContain("# norms: inconclusive");
  });

  test("the same command again trains nothing, and a seed more trains its two runs", async () => {
    const again = await experiment(file);
    expect(again.document).toEqual(first);
    expect(again.stderr).toContain("no trials left to train");
    const more = await experiment(file, "--seeds", "42..44", "--workers", "1");
    expect(more.stderr).toContain("2 trials to train");
    expect(more.document.treatment.map((each) => each.run).slice(0, 2)).toEqual(first.treatment.map((each) => each.run));
    expect(more.document.verdict).toMatchObject({ result: "inconclusive", notes: [expect.stringMatching(/^Second look: .*inconclusive over 2 seeds/)] });
    expect(more.document.looks).toEqual([{ seeds: [42, 43], result: "inconclusive" }]);
    const repeated = await experiment(file, "--seeds", "42..44", "--workers", "1");
    expect(repeated.document.looks).toEqual(more.document.looks);
    expect(more.document.directory).toBe(first.directory);
  });

  test("a dry run lists its trials, and people read the verdict first", async () => {
    const { stdout } = await run(["experiment", file, "--out", out, "--seeds", "42..45", "--dry-run"], { env: withoutTorch });
    expect(stdout).toContain("8 trials: 2 planned, 6 completed");
    const shown = await run(["experiment", file, "--out", out]);
    expect(shown.stdout).toMatch(/^norms: inconclusive {2}2 seeds/);
    expect(shown.stdout).toContain("Removed by training.decay_norms=never");
  });
});
