import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rerecordDocumentSchema } from "../../src/commands/documents.js";
import { openHistory } from "../../src/runs/open-history.js";
import { sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { expectedFrom } from "../unit/formats/reference-python.js";
import { damageNumber, recordOtherNumber } from "./flip-bit.js";
import { run, temporaryFolder } from "./program.js";
import { progressLines } from "./progress-lines.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
/** What the runs have in common. */
const base = {
  device: "cpu",
  threads: 1,
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 40, per_device_train_batch_size: 4, logging_steps: 7 },
  checkpoint: { every: 10, keep: 10 },
};
const everything = { "record.tensors": ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] };
const float = { "training.optimizer_state_dtype": "float32" };
const chosen = { "record.every": 4, "record.rows": [3, 65, 101] };
const stateBytes = 128 * 8 * 2;
const [headBytes, recordBytes] = [4104, 24];
const within = { timeout: 240_000 };

let [plain, atOnce, floatRun, floatAtOnce, chosenRun, chosenAtOnce] = ["", "", "", "", "", ""];
beforeAll(async () => {
  // As a sweep, one Python trains them all.
  const cases = [float, { ...float, ...everything }, chosen, { ...chosen, ...everything }];
  const sweep = join(folder.path, "runs.json");
  writeFileSync(sweep, JSON.stringify({ base, cases: [{}, everything, ...cases] }));
  const { stdout, stderr } = await run(["sweep", sweep, "--workers", "1", "--out", join(folder.path, "sweeps"), "--json"]);
  expect(stdout, stderr).not.toBe("");
  const runs = sweepDocumentSchema.parse(JSON.parse(stdout)).trials.map((trial) => trial.run ?? "");
  [plain = "", atOnce = "", floatRun = "", floatAtOnce = "", chosenRun = "", chosenAtOnce = ""] = runs;
}, 240_000);

function copyOfPlain(name: string): string {
  const copy = join(folder.path, name);
  cpSync(plain, copy, { recursive: true });
  return copy;
}

async function rerecord(...args: string[]) {
  const { exitCode, stdout, stderr } = await run(["rerecord", ...args, "--json", "--progress", "json"]);
  expect(exitCode, stdout + stderr).toBe(0);
  const lines = progressLines(stderr);
  expect(lines.map((line) => line.type === "train" && line.event.type)).toContain("step_end");
  expect(lines.at(-1)).toMatchObject({ type: "end", status: "ok" });
  return rerecordDocumentSchema.parse(JSON.parse(stdout));
}

/** The states `first` to `last` of a file, and their records, as they lie there. */
function recorded(directory: string, name: string, first: number, last: number, bytes = stateBytes): [states: Buffer, records: Buffer] {
  const states = readFileSync(join(directory, `history.${name}.safetensors`));
  const index = readFileSync(join(directory, `history.${name}.idx`));
  return [states.subarray(headBytes + first * bytes, headBytes + (last + 1) * bytes), index.subarray(first * recordBytes, (last + 1) * recordBytes)];
}

test("tensors that are recorded later have the bits that they have when they are recorded at once, and the run its checksums", within, async () => {
  const copy = copyOfPlain("later");
  const document = await rerecord(copy, "--tensors", "wte.grad,wte.exp_avg_sq", "--steps", "15..27");
  const names = ["wte.grad.15-27", "wte.exp_avg_sq.15-27"];
  expect(document).toEqual({
    ...{ schema: "bh-bridge/rerecord@1", run: copy, from: 15, to: 27, tensors: ["wte.grad", "wte.exp_avg_sq"] },
    ...{ verified: 18, files: names.flatMap((name) => [`history.${name}.safetensors`, `history.${name}.idx`]) }, // the states 10 to 27
  });
  for (const tensor of ["wte.grad", "wte.exp_avg_sq"]) {
    const got = recorded(copy, `${tensor}.15-27`, 0, 12);
    expect(got[0].length).toBe(13 * stateBytes);
    expect(got.map((part, index) => part.equals(recorded(atOnce, tensor, 15, 27)[index] ?? Buffer.alloc(0)))).toEqual([true, true]);
  }
  expect((await run(["runs", "verify", copy])).stdout).toContain("all checksums match\nNot covered: run.lock");
  expect((await run(["compare", copy, plain, "--assert-equal", "history,loss,config,final"])).exitCode).toBe(0);
  expect((await run(["analyze", `${copy}::wte.grad.15-27`, "--json"])).stdout).toContain('"steps":[15,16,17');
});

test("without steps, everything from the start on is recorded, in another dtype too", within, async () => {
  expect(await rerecord(floatRun, "--tensors", "wte.exp_avg")).toMatchObject({ from: 0, to: 40, verified: 41 });
  const parts = [recorded(floatRun, "wte.exp_avg.0-40", 0, 40, 2 * stateBytes), recorded(floatAtOnce, "wte.exp_avg", 0, 40, 2 * stateBytes)];
  expect(parts[0]).toEqual(parts[1]);
});

test("of a run that recorded chosen rows of some steps, the same rows and steps are recorded", within, async () => {
  expect(await rerecord(chosenRun, "--tensors", "wte.grad", "--steps", "11..21")).toMatchObject({ verified: 3 }); // 12, 16, 20; the checkpoint of step 10 is not recorded
  expect(recorded(chosenRun, "wte.grad.11-21", 0, 2, 3 * 8 * 2)).toEqual(recorded(chosenAtOnce, "wte.grad", 3, 5, 3 * 8 * 2));
});

test("chosen rows stand in a file that says which tokens they are, Python reads it, and nothing is recorded twice", within, async () => {
  const copy = copyOfPlain("rows");
  await rerecord(copy, "--tensors", "wte.grad", "--steps", "12..13", "--rows", "3,65,100-101");
  const program = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1] + "/history.wte.grad.12-13.safetensors", "pt") as file, safe_open(sys.argv[2] + "/history.wte.grad.safetensors", "pt") as whole:
    tokens = file.get_tensor("tokens")
    print(json.dumps([tokens.tolist(), bool((file.get_tensor("wte.grad.12-13") == whole.get_tensor("wte.grad")[12:14, tokens]).all())]))`;
  expect(expectedFrom(program, copy, atOnce)).toEqual([[3, 65, 100, 101], true]);
  const history = await openHistory(copy, "wte.grad.12-13");
  history.close();
  expect([history.rowTokens.ids, history.steps]).toEqual([
    [3, 65, 100, 101],
    [12, 13],
  ]);
  expect((await run(["runs", "verify", copy])).stdout).toContain("all checksums match\nNot covered: run.lock");
  const { exitCode, stderr } = await run(["rerecord", copy, "--tensors", "wte.grad", "--steps", "12..13"]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("already exists")]);
});

test.each([
  ["a state that comes out differently is told", "other", recordOtherNumber, "RESUME_DIVERGED", "step 22, wte, token 17, component 5: "],
  ["a flipped bit is reported as damage", "damaged", damageNumber, "RUN_CORRUPT", "history.safetensors is damaged at step 22, token 17, component 5: "],
])("%s, and nothing is added", within, async (_, name, change, code, message) => {
  const copy = copyOfPlain(name);
  change(copy, { snapshot: 22, token: 17, component: 5 });
  const before = readdirSync(copy);
  const { exitCode, stdout } = await run(["rerecord", copy, "--tensors", "wte.grad", "--steps", "21..25", "--json"]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ code, message: expect.stringContaining(message) });
  expect(readdirSync(copy)).toEqual(before);
});

test.each([
  ["what the run has", ["--tensors", "wte"], "has already recorded wte"],
  ["steps that it has not", ["--tensors", "wte.grad", "--steps", "30..41"], "has recorded the steps 0 to 40, not 30..41"],
  ["steps backwards", ["--tensors", "wte.grad", "--steps", "30..20"], "run backwards"],
  ["a misspelt tensor", ["--tensors", "wte.gard"], "the optimizer has no gard for wte. Use wte.grad"],
])("%s cannot be recorded later", async (_, options, message) => {
  const { exitCode, stderr } = await run(["rerecord", plain, ...options]);
  expect([exitCode, stderr.replaceAll("\n", " ")]).toEqual([2, expect.stringContaining(message)]);
});
