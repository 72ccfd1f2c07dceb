import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import { configHash } from "../../../../src/config/config-hash.js";
import { configInvalid } from "../../../../src/config/config-invalid.js";
import type { RunInput } from "../../../../src/config/resolve-run-config.js";
import { expandSweep } from "../../../../src/sweep/grammar/expand-sweep.js";
import { sweepSchema } from "../../../../src/sweep/grammar/sweep-schema.js";
import { type PlanFacts, planTrials } from "../../../../src/sweep/plan/plan-trials.js";

const read = { tokens: 1000, windows: 900 };
const facts: PlanFacts = {
  device: "cpu",
  threads: 1,
  corpusOf: async () => ({ ...read, sha256: "c0ffee" }),
  sourceOf: (path) => `sweep.yaml ${path}`,
  code: new Map(),
};

async function plan(input: RunInput, written: object, changed: Partial<PlanFacts> = {}) {
  const base = await loadRunConfig({ input });
  return planTrials(base, expandSweep(sweepSchema.parse(written), []), { ...facts, ...changed });
}

test("a trial is what the same configuration alone is, with one thread unless it says otherwise", async () => {
  const [trial] = await plan({ preset: "quick" }, { grid: { "training.learning_rate": [3e-4], "init.kind": ["snowball"], "init.sigma": [1e-5] } });
  const alone = await loadRunConfig({ input: { preset: "quick", training: { learning_rate: 3e-4 }, init: { kind: "snowball", sigma: 1e-5 }, threads: 1 } });
  expect(trial?.config).toEqual(alone.config);
  const hash = createHash("sha256")
    .update(`${configHash(alone.config)}\nc0ffee\ncpu\n1`)
    .digest("hex");
  expect(trial?.trial).toBe(hash.slice(0, 16));
});

test("identity follows configuration, corpus, device kind and threads, and not the name", async () => {
  const written = { seeds: 1 };
  const identity = async (input: RunInput, changed: Partial<PlanFacts> = {}) => (await plan(input, written, changed))[0]?.trial;
  const first = await identity({});
  expect(await identity({ name: "another" })).toBe(first);
  expect(await identity({ device: "auto" })).toBe(first);
  const others = [
    await identity({ training: { max_steps: 5 } }),
    await identity({ threads: 2 }),
    await identity({}, { corpusOf: async () => ({ ...read, sha256: "other" }) }),
    await identity(
      {},
      { corpusOf: async () => ({ ...read, sha256: "c0ffee", tokenizer: { path: "/t.json", sha256: "beef", vocabulary: 128, unreachable: [] } }) },
    ),
    await identity({}, { device: "cuda" }),
  ];
  expect(new Set([first, ...others]).size).toBe(6);
});

test("points that come to the same have the same trial", async () => {
  const trials = await plan({}, { grid: { seed: [1, 2] }, cases: [{ seed: 2 }, { seed: 3 }] });
  expect(trials).toHaveLength(4);
  expect(trials[1]?.trial).toBe(trials[2]?.trial);
  expect(new Set(trials.map(({ trial }) => trial)).size).toBe(3);
});

test("a tokenizer that is not there is told once, with every other problem, before a trial starts", async () => {
  const corpusOf: PlanFacts["corpusOf"] = async ({ data }) => {
    if (data.tokenizer !== null) throw configInvalid([{ path: "data.tokenizer", message: `${data.tokenizer} cannot be read` }]);
    return { ...read, sha256: "c0ffee" };
  };
  const planning = plan({}, { grid: { "data.tokenizer": ["/none.json", null], "model.n_embd": [63, 64], seed: "1..3" } }, { corpusOf });
  await expect(planning).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "model.n_embd" }, { path: "data.tokenizer", message: "/none.json cannot be read" }],
  });
});

test("a misspelt axis is told with the nearest name, and every problem once, with its place", async () => {
  const planning = plan({}, { grid: { "training.learning_rat": [1e-3, 1e-4], "model.n_embd": [63, 64], seed: "1..3" } });
  await expect(planning).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [
      { path: "training.learning_rat", message: "unknown field; did you mean training.learning_rate?", source: "sweep.yaml grid.training.learning_rat" },
      { path: "model.n_embd", message: expect.stringContaining("63 is not divisible by model.n_head = 2"), source: "sweep.yaml grid.model.n_embd" },
    ],
  });
});

test("planning does not cost more per trial when there are more of them", async () => {
  const base = await loadRunConfig({});
  const cost = async (trials: number) => {
    const points = expandSweep(sweepSchema.parse({ grid: { "training.learning_rate": { logspace: [1e-5, 1e-2, trials / 10] } }, seeds: "1..10" }), []);
    const before = process.cpuUsage();
    expect(await planTrials(base, points, facts)).toHaveLength(trials);
    return process.cpuUsage(before).user;
  };
  await cost(200); // compiles the code
  const few = await cost(200);
  expect((await cost(1000)) / few).toBeLessThan(15); // 5 if the cost is linear, 25 if it is quadratic
});
