import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Bridge } from "../../src/bridge/bridge.js";
import type { TrainerOptions } from "../../src/bridge/trainer-options.js";
import { analyzeCommand } from "../../src/commands/analyze.js";
import { censusCommand } from "../../src/commands/census.js";
import { exportCommand } from "../../src/commands/export.js";
import { inspectCommand } from "../../src/commands/inspect/inspect.js";
import { openRun } from "../../src/runner/open-run.js";
import type { TrainResult } from "../../src/runner/train-result.js";
import { captureStdout } from "../unit/commands/capture-stdout.js";
import { corpusFile } from "./corpus-file.js";
import { warmPython as python } from "./real-python.js";

const out = mkdtempSync(join(tmpdir(), "bh-bridge-verdicts-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const corpus = corpusFile(out);
// Newlines of every system are line feeds: the carriage return is dead.
const live = new Set(
  readFileSync(corpus, "latin1")
    .replaceAll("\r\n", "\n")
    .split("")
    .map((character) => character.charCodeAt(0)),
);
const dead = Array.from({ length: 128 }, (_, token) => token).filter((token) => !live.has(token));
const together = `no split: the ${dead.length} dead tokens of the black hole at the start are still together`;

let bridge: Bridge;
beforeAll(async () => {
  bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
});
afterAll(() => bridge.close());

async function train(options: Pick<TrainerOptions, "record"> & { init?: "singular" | "normal"; steps?: number } = {}): Promise<TrainResult> {
  const { init = "singular", steps = 3, ...rest } = options;
  const config = { vocab_size: 128, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 16 };
  const model = await bridge.createModel({ config, norm: "rmsnorm", init: { kind: init }, seed: 42 });
  const training = { max_steps: steps, per_device_train_batch_size: 4 };
  const trainer = await bridge.createTrainer({ model, data: { corpus }, training, out, ...rest });
  const { run } = await trainer.train();
  return (await openRun(run)).result();
}

test("black holes of live tokens, which have not all parted after one step, are told and are no split", async () => {
  const { verdict, census } = await train({ steps: 1 });
  const holes = census.members.filter((members) => members.every((token) => live.has(token))).length;
  expect(holes).toBeGreaterThan(1);
  expect(verdict).toEqual({ result: "null", reason: `${together}. Not scored: ${holes} black holes of live tokens only` });
});

test("rows that never were equal are degenerate", async () => {
  const reason = `not scored: no two of the ${dead.length} dead tokens shared a black hole at the start`;
  expect(await train({ init: "normal" })).toMatchObject({ finite: true, verdict: { result: "degenerate", reason } });
});

test("recorded rows of live tokens are no evidence about dead ones", async () => {
  const rows = [...live].slice(0, 3);
  const { verdict } = await train({ record: { rows } });
  expect(verdict).toEqual({ result: "degenerate", reason: "not scored: none of the 3 rows belongs to a dead token" });
});

describe("a run that recorded the rows of dead tokens alone", () => {
  let result: TrainResult;
  beforeAll(async () => {
    result = await train({ record: { rows: "dead" } });
  });

  test("has the verdict of one that recorded all, and tokens as members", () => {
    expect(result.verdict).toEqual({ result: "null", reason: together });
    expect(result.census).toMatchObject({ rows: dead.length, C: 1, P: dead.length, members: [dead] });
    expect(result.census.texts).toEqual([dead.map((token) => String.fromCharCode(token))]);
  });

  test("is counted, analysed, inspected and exported by tokens", async () => {
    const { run } = result;
    const json = async (command: ReturnType<typeof censusCommand>, ...args: string[]) => JSON.parse(await captureStdout(command, "--json", run, ...args));
    expect(await json(censusCommand())).toMatchObject({ rows: dead.length, members: [dead] });
    expect(await json(censusCommand(), "--rows", dead.slice(3, 6).join())).toMatchObject({ rows: 3, members: [dead.slice(3, 6)] });
    await expect(json(censusCommand(), "--rows", `${[...live][0]}`)).rejects.toThrow(/row of token \d+ was not recorded/);
    const analysis = await json(analyzeCommand());
    expect(analysis).toMatchObject({ tokenIds: dead, finalCensus: { members: [dead] }, topology: { final: { firstTokens: [dead[0]] } } });
    expect(analysis.lifecycle.lateEnd).toHaveLength(dead.length);
    const inspection = await json(inspectCommand());
    expect(inspection.history.tokenIds).toEqual(dead);
    expect(JSON.stringify(inspection.next)).not.toContain("train --from"); // dead rows alone are no embedding to begin with
    expect((await json(exportCommand(), "--to", "npy", "--out", join(out, "history.npy"))).tokenIds).toEqual(dead);
  });
});
