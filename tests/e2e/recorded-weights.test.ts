import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompareDocument, compareDocumentSchema } from "../../src/commands/documents.js";
import { verifyDocumentSchema } from "../../src/commands/runs/format-runs.js";
import { openModelDeltas } from "../../src/runs/model-deltas.js";
import { experimentDocumentSchema } from "../../src/sweep/experiment/experiment-summary.js";
import { sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { expectedFrom, printedBy } from "../unit/formats/reference-python.js";
import { projectRoot, run, temporaryFolder } from "./program.js";
import { trainTogether } from "./train-together.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const base = {
  device: "cpu",
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 8, per_device_train_batch_size: 4, logging_steps: 4, learning_rate: 1e-3 },
  record: { model: "deltas" },
} as const;
const within = { timeout: 240_000 };
const faster = { training: { learning_rate: 2e-3 } };

/** Runs of the arms of an experiment, and of the trials of a sweep with the same two configurations. */
let [arms, trials]: [string[], string[]] = [[], []];
beforeAll(async () => {
  const [experiment, sweep] = [join(folder.path, "rates.json"), join(folder.path, "sweep.json")];
  writeFileSync(experiment, JSON.stringify({ base, arms: { slow: {}, fast: faster }, seeds: [42] }));
  writeFileSync(sweep, JSON.stringify({ base, cases: [{}, faster] }));
  const ran = await run(["experiment", experiment, "--workers", "1", "--out", join(folder.path, "experiments"), "--json"]);
  expect(ran.stdout, ran.stderr).not.toBe("");
  const { control, treatment } = experimentDocumentSchema.parse(JSON.parse(ran.stdout));
  arms = [...control, ...treatment].map((each) => each.run ?? "");
  const swept = await run(["sweep", sweep, "--workers", "1", "--out", join(folder.path, "sweeps"), "--json"]);
  expect(swept.stdout, swept.stderr).not.toBe("");
  trials = sweepDocumentSchema.parse(JSON.parse(swept.stdout)).trials.map((trial) => trial.run ?? "");
}, 240_000);

async function compare(...args: string[]): Promise<CompareDocument> {
  const { stdout, stderr } = await run(["compare", ...args, "--json"]);
  expect(stdout, stderr).not.toBe("");
  return compareDocumentSchema.parse(JSON.parse(stdout));
}

const verify = async (path: string) => verifyDocumentSchema.parse(JSON.parse((await run(["runs", "verify", path, "--json"])).stdout));

/** The first different weight of two runs by the reader of docs/run-directory.md, which needs only numpy: step, tensor, row, component and both numbers. */
const firstByReader = `
import sys, re, json, pathlib, numpy as np
[reader] = [b for b in re.findall(r"\`\`\`python\\n(.*?)\`\`\`", open(sys.argv[1]).read(), re.S) if "model.deltas" in b]
scope = {"__name__": "reader"}
exec(reader, scope)
def first():
    for step in range(int(sys.argv[4])):
        other = dict(scope["weights"](pathlib.Path(sys.argv[3]), step))
        for name, array in scope["weights"](pathlib.Path(sys.argv[2]), step):
            differs = array.view("u4") != other[name].view("u4")
            if differs.any():
                at = int(differs.ravel().argmax())
                return [step, name, *divmod(at, array.shape[-1]), float(array.ravel()[at]), float(other[name].ravel()[at])]
print(json.dumps(first()))`;

test("the runs of an experiment and of a sweep record the same weights, and each is verified", within, async () => {
  for (const directory of [...arms, ...trials]) {
    expect(await verify(directory)).toMatchObject({ ok: true, problems: [] });
    using deltas = openModelDeltas(directory);
    expect(deltas).toMatchObject({ firstStep: 0, lastStep: 8, hasUncommitted: false });
  }
  for (const [index, arm] of arms.entries()) {
    const trial = trials[index] ?? "";
    expect(readFileSync(join(arm, "model.deltas"))).toEqual(readFileSync(join(trial, "model.deltas")));
    expect((await compare(arm, trial)).weights).toEqual([{ a: arm, b: trial, equal: true, first: null, equalTo: 8, reason: null }]);
  }
});

test("compare names the first step and tensor that numpy finds, without training", within, async () => {
  const [a = "", b = ""] = arms;
  const document = await compare(a, b, trials[1] ?? "");
  const expected = expectedFrom<unknown[]>(firstByReader, join(projectRoot, "docs/run-directory.md"), a, b, "9");
  const { first, equalTo } = document.weights?.[0] ?? {};
  expect([first?.step, first?.tensor, first?.row, first?.component, first?.a, first?.b]).toEqual(expected);
  expect(equalTo).toBe((first?.step ?? 0) - 1);
  expect(document.weights?.map((pair) => pair.b)).toEqual([b, trials[1]]);
  const { stdout } = await run(["compare", a, b]);
  expect(stdout).toContain(`A, B  weights  differ first at step ${first?.step}, ${first?.tensor}, row ${first?.row}, component ${first?.component}: `);
});

test("runs of which one records no weights, other tensors, or fewer steps", within, async () => {
  const ofSteps = (max_steps: number) => ({ ...base, training: { ...base.training, max_steps, lr_scheduler_type: "constant" as const } });
  const [a = "", without = "", wider = "", shorter = "", longer = ""] = await trainTogether(
    join(folder.path, "others"),
    base,
    { ...base, record: { model: "off" } },
    { ...base, model: { ...base.model, n_positions: 32 } },
    ofSteps(3),
    ofSteps(5),
  );
  expect((await compare(a, without)).weights).toBeUndefined();
  const { weights } = await compare(a, without, wider);
  expect(weights).toEqual([
    { a, b: wider, equal: false, first: null, equalTo: null, reason: "transformer.wpe.weight is BF16 [16, 8] in a, BF16 [32, 8] in b" },
  ]);
  expect((await compare(shorter, longer)).weights?.[0]).toMatchObject({ equal: false, equalTo: 3, first: null, reason: "a ends at step 3, b at step 5" });
  // The same run, resumed to as many steps, is equal to the other one.
  const resumed = await run(["resume", shorter, "--steps", "5", "--json"]);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(await verify(shorter)).toMatchObject({ ok: true });
  expect((await compare(shorter, longer)).weights?.[0]).toMatchObject({ equal: true, equalTo: 5 });
});

test("a zip of a run and a crate of an experiment are verified with the weights, and one flipped bit is damage", within, async () => {
  const [a = ""] = arms;
  const pack = "import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2], sys.argv[3])";
  await printedBy(pack, [join(folder.path, "run"), dirname(a), basename(a)]);
  expect(await verify(join(folder.path, "run.zip"))).toMatchObject({ ok: true, problems: [] });
  const crate = join(folder.path, "crate");
  const exported = await run(["export", dirname(dirname(a)), "--to", "ro-crate", "--out", crate]);
  expect(exported.exitCode, exported.stderr).toBe(0);
  expect(readFileSync(join(crate, "runs", basename(a), "model.deltas"))).toEqual(readFileSync(join(a, "model.deltas")));
  expect(readFileSync(join(crate, "ro-crate-metadata.json"), "utf8")).toContain("All weights before training and after every step");
  const copy = join(folder.path, "damaged", "run");
  cpSync(a, copy, { recursive: true });
  const bytes = readFileSync(join(copy, "model.deltas"));
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(join(copy, "model.deltas"), bytes);
  await printedBy(pack, [join(folder.path, "damaged-run"), dirname(copy), "run"]);
  expect((await verify(join(folder.path, "damaged-run.zip"))).problems.join()).toContain("model.deltas");
  expect((await run(["compare", a, copy, "--json"])).stdout).toContain("the frame of step 8");
});
