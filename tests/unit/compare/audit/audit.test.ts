import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../../../src/compare/audit/audit.js";
import { repetitions } from "../../../repetitions.js";
import { expectedFrom, printedBy, temporaryDirectory } from "../../formats/reference-python.js";

const directory = temporaryDirectory();
const program = readFileSync("tests/unit/compare/audit/make_series.py", "utf8");
const first = "model-00001-of-00002.safetensors";
let made = 0;

beforeAll(() => printedBy(program, ["seeds", directory]));

/** A copy of a series of `seeds`; links, so that it costs nothing. */
function copyOf(seed: "seed1" | "seed2", name = `copy${++made}`): string {
  const copy = join(directory, name);
  for (const step of readdirSync(join(directory, seed))) replace(join(copy, step), join(directory, seed, step));
  return copy;
}

function replace(checkpoint: string, by: string): void {
  rmSync(checkpoint, { recursive: true, force: true });
  mkdirSync(checkpoint, { recursive: true });
  for (const file of readdirSync(by)) linkSync(join(by, file), join(checkpoint, file));
}

function replaceFile(path: string, by: string): void {
  rmSync(path);
  cpSync(by, path);
}

const summary = async (...args: Parameters<typeof audit>) =>
  (await audit(...args)).findings.map(({ kind, checkpoints }) => `${kind}: ${checkpoints.map((checkpoint) => basename(checkpoint)).join(" ")}`);

describe.each([{ sample: false }, { sample: true }])("with %o", (options) => {
  test("two trainings have no finding, each alone and together", async () => {
    const series = await audit([join(directory, "seed1"), join(directory, "seed2")], options);
    expect(series.findings).toEqual([]);
    expect(series.series.map(({ checkpoints }) => checkpoints.map(({ step }) => step))).toEqual(
      Array(2).fill([0, 1, 2, 4, 8, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150]),
    );
  });

  test("checkpoints with the final weights are named", async () => {
    const series = copyOf("seed1");
    for (const step of [4, 10, 30, 40, 50, 90, 120]) replace(join(series, `step${step}`), join(directory, "seed1/step150"));
    expect(await summary(series, options)).toEqual(["duplicate: step4 step10 step30 step40 step50 step90 step120 step150"]);
  });

  test("the step that repeated weights fit is named", async () => {
    const series = copyOf("seed1");
    for (const step of [20, 130]) replace(join(series, `step${step}`), join(directory, "seed1/step70"));
    const [finding] = (await audit(series, options)).findings;
    expect(finding?.evidence).toMatch(/^step 20, step 70 and step 130 have the same (?:sampled )?weights, bit for bit, which fit step 70$/);
  });

  test("first shards of another step and of another training are named", async () => {
    const series = copyOf("seed1");
    replaceFile(join(series, "step60", first), join(directory, "seed1/step130", first));
    replaceFile(join(series, "step100", first), join(directory, "seed2/step100", first));
    expect(await summary(series, options)).toEqual(["wrong-shard: step60 step130", "wrong-shard: step100"]);
  });

  test("a first shard of a step that is not in the series is named", async () => {
    const series = copyOf("seed1");
    replaceFile(join(series, "step60", first), join(directory, "seed1/step130", first));
    rmSync(join(series, "step130"), { recursive: true });
    expect(await summary(series, options)).toEqual(["wrong-shard: step60"]);
  });

  test("a seed that does not descend from its own step 0 is named", async () => {
    const series = copyOf("seed1");
    replace(join(series, "step0"), join(directory, "seed2/step0"));
    expect(await summary(series, options)).toEqual(["not-descended: step0 step1"]);
  });

  test("the same first steps under two names are named, with the series that they do not belong to", async () => {
    const series = copyOf("seed2");
    for (const step of [0, 1, 2, 4]) replace(join(series, `step${step}`), join(directory, `seed1/step${step}`));
    const { findings } = await audit([join(directory, "seed1"), series], options);
    expect(findings.map(({ kind }) => kind)).toEqual(["not-descended", "shared"]);
    expect(findings[0]?.checkpoints.map((path) => basename(path))).toEqual(["step0", "step1", "step2", "step4", "step8"]);
    expect(findings[1]?.checkpoints).toHaveLength(8);
  });

  test("a checkpoint of another training and a change of the training are named", async () => {
    const series = copyOf("seed1");
    replace(join(series, "step50"), join(directory, "seed2/step50"));
    for (const step of [120, 130, 140, 150]) replace(join(series, `step${step}`), join(directory, `seed2/step${step}`));
    expect((await summary(series, options)).map((text) => text.split(" ")[0])).toEqual(["foreign:", "not-descended:"]);
  });

  test("exchanged checkpoints are out of order, far and near", async () => {
    const series = copyOf("seed1");
    for (const [a, b] of [
      [20, 110],
      [60, 70],
    ] as const) {
      replace(join(series, `step${a}`), join(directory, `seed1/step${b}`));
      replace(join(series, `step${b}`), join(directory, `seed1/step${a}`));
    }
    expect((await summary(series, options)).sort()).toEqual(["out-of-order: step110", "out-of-order: step20", "out-of-order: step60 step70"]);
  });

  test("missing and truncated shards, another dtype and NaN are named", async () => {
    const series = copyOf("seed1");
    rmSync(join(series, "step20", first));
    replaceFile(join(series, "step40", first), join(directory, "seed1/step40", first));
    truncateSync(join(series, "step40", first), 40_000);
    for (const [step, change] of [
      [60, "v.half()"],
      [80, "v + float('nan')"],
    ] as const) {
      const path = join(series, `step${step}`, first);
      const source = join(directory, `seed1/step${step}`, first);
      rmSync(path);
      expectedFrom(
        `import sys\nfrom safetensors.torch import load_file, save_file\nsave_file({k: ${change} for k, v in load_file(sys.argv[1]).items()}, sys.argv[2])\nprint(0)`,
        source,
        path,
      );
    }
    rmSync(join(series, "step100"), { recursive: true });
    mkdirSync(join(series, "step100"));
    const { findings } = await audit(series, options);
    expect(findings.map(({ kind, checkpoints }) => `${kind} ${basename(checkpoints[0] ?? "")}`)).toEqual([
      "missing step20",
      "damaged step40",
      "not-finite step80",
      "missing step100",
      "layout step60",
    ]);
    expect(findings[4]?.evidence).toContain("embed_tokens.weight is F16 [256, 64], in 16 other checkpoints F32 [256, 64]");
  });
});

test("series of real trainings have no finding, whatever their optimizer, learning rate, noise, dtype and steps", { timeout: 1_200_000 }, async () => {
  const folder = join(directory, "clean");
  const count = repetitions(4, 100);
  await printedBy(program, ["clean", folder, "0", String(count)]);
  const findings: string[] = [];
  for (const name of readdirSync(folder))
    for (const options of [{}, { sample: true }]) findings.push(...(await summary(join(folder, name), options)).map((text) => `${name}: ${text}`));
  expect(readdirSync(folder)).toHaveLength(count);
  expect(findings).toEqual([]);
});

test("a repeated last checkpoint is a finding, but not if its learning rate was 0", async () => {
  const series = copyOf("seed1");
  replace(join(series, "step150"), join(directory, "seed1/step140"));
  expect(await summary(series)).toEqual(["duplicate: step140 step150"]);
  const state = {
    global_step: 150,
    max_steps: 150,
    log_history: [
      { step: 140, learning_rate: 1e-3 },
      { step: 150, learning_rate: 0 },
    ],
  };
  writeFileSync(join(series, "step150/trainer_state.json"), JSON.stringify(state));
  const { findings, notes } = await audit(series);
  expect(findings).toEqual([]);
  expect(notes).toEqual(["step 140 and step 150 have the same weights: their learning rate was 0"]);
});

test("a step that trainer_state.json contradicts is named", async () => {
  const series = copyOf("seed1");
  writeFileSync(join(series, "step30/trainer_state.json"), JSON.stringify({ global_step: 31, max_steps: 150, log_history: [] }));
  expect((await audit(series)).findings).toMatchObject([{ kind: "step", evidence: "the name has step 30, trainer_state.json has step 31" }]);
});

test("a NaN outside the sampled rows is found unless only those are read", async () => {
  const series = copyOf("seed1");
  const path = join(series, "step30/model-00002-of-00002.safetensors");
  const source = join(directory, "seed1/step30/model-00002-of-00002.safetensors");
  rmSync(path);
  expectedFrom(
    "import sys\nfrom safetensors.torch import load_file, save_file\nt = load_file(sys.argv[1]); t['norm.bias'][3] = float('inf'); save_file(t, sys.argv[2]); print(0)",
    source,
    path,
  );
  expect((await audit(series)).findings).toMatchObject([{ kind: "not-finite", evidence: "NaN or infinity in norm.bias" }]);
  expect((await audit(series, { sample: true })).findings).toEqual([]);
});

test.each(["bfloat16", "float16", "float32", "float64"])("infinity and NaN of %s are found, the largest numbers are not", async (dtype) => {
  const series = temporaryDirectory();
  const make = `
import sys, torch
from safetensors.torch import save_file
t = torch.full((3, 5), torch.finfo(torch.${dtype}).max, dtype=torch.${dtype})
for step, value in enumerate((-1, float("inf"), float("nan"))):
    t[2, 4] = value
    import os; os.mkdir(f"{sys.argv[1]}/step{step}"); save_file({"wte.weight": t}, f"{sys.argv[1]}/step{step}/model.safetensors")
print(0)`;
  expectedFrom(make, series);
  const { findings } = await audit(series);
  expect(findings.map(({ kind, checkpoints }) => `${kind} ${checkpoints.map((path) => basename(path))}`)).toEqual(["not-finite step1", "not-finite step2"]);
});

test("the root mean square is that of the sampled rows in numpy", async () => {
  const { series } = await audit(join(directory, "seed1"), { sample: true });
  const [embedding] = series[0]?.sampled ?? [];
  expect(embedding).toEqual({ tensor: "embed_tokens.weight", rows: 64, of: 256 });
  const rms = `
import sys, numpy as np
from safetensors.numpy import load_file
w = load_file(sys.argv[1])["embed_tokens.weight"].astype(np.float64)
rows = np.concatenate([np.arange(start, start + 16) for start in (24, 88, 152, 216)])  # 4 blocks of 16, evenly spread
print(float(np.sqrt(np.mean(w[rows] ** 2))))`;
  expect(series[0]?.checkpoints.at(-1)?.rms).toBeCloseTo(expectedFrom<number>(rms, join(directory, "seed1/step150", first)), 12);
});

test("wrong arguments are wrong usage", async () => {
  await expect(audit(join(directory, "nothing"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  await expect(audit(temporaryDirectory())).rejects.toThrow(/has neither a model nor checkpoints such as checkpoint-1000/);
  await expect(audit(join(directory, "seed1"), { revisions: "step*" })).rejects.toMatchObject({ code: "USAGE" });
  await expect(audit(join(directory, "seed1"), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
