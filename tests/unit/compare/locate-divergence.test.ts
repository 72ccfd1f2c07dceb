import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planDivergence } from "../../../src/compare/locate-divergence.js";
import { packIndexRecord } from "../../../src/formats/index-record.js";
import type { Run } from "../../../src/runner/open-run.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const folder = temporaryDirectory();

/** A run that has recorded so many steps; only where it lies and how far it got is asked. */
function runOf(name: string, steps: number): Run {
  const directory = join(folder, name);
  mkdirSync(directory);
  const done = Buffer.alloc(4096 + 8);
  done.writeBigInt64LE(BigInt(steps), 4096);
  writeFileSync(join(directory, "history.safetensors"), done);
  writeFileSync(join(directory, "history.idx"), Buffer.concat(Array.from({ length: steps + 1 }, (_, step) => packIndexRecord({ step, crc: 0, loss: 1 }))));
  return { directory } as Run;
}

const [long, short] = [runOf("long", 40), runOf("short", 30)];
const firstAt = (step: number) => ({ step, tensor: "wte", token: 0, component: 0, a: 0, b: 1, ulp: 9 });
const history = (step: number | null, equalTo: number | null) => ({ equal: step === null, first: step === null ? null : firstAt(step), equalTo, reason: null });
const weights = (step: number | null, equalTo: number | null) => ({
  ...{ equal: step === null, equalTo, reason: null },
  first: step === null ? null : { step, tensor: "transformer.wpe.weight", row: 0, component: 0, a: 0, b: 1, ulp: 9 },
});
const loss = (step: number | null) => ({ equal: step === null, first: step === null ? null : { step, a: 1, b: 2 }, reason: null });

test.each<[string, Parameters<typeof planDivergence>[2], { step: number; until: number }]>([
  ["the state after the last equal one is looked into first", { history: history(20, 10), loss: loss(null) }, { step: 11, until: 20 }],
  ["a loss that differs before ends it", { history: history(20, 19), loss: loss(12) }, { step: 12, until: 12 }],
  [
    "recorded weights that differ before the embedding name the step",
    { history: history(20, 19), weights: weights(12, 11), loss: loss(21) },
    { step: 12, until: 12 },
  ],
  ["equal recorded weights change nothing", { history: history(20, 19), weights: weights(null, 30), loss: loss(21) }, { step: 20, until: 20 }],
  [
    "recorded weights that differ at the start name the first step",
    { history: history(20, 19), weights: weights(0, null), loss: loss(1) },
    { step: 1, until: 1 },
  ],
  ["a first state that differs names the first step", { history: history(0, null), loss: loss(1) }, { step: 1, until: 1 }],
  [
    "a first state that differs names the step after the checkpoint from which both runs continue",
    { history: history(25, null), loss: loss(26) },
    { step: 26, until: 26 },
  ],
  ["where only the model at the end differs, both are trained as far as both go", { history: history(null, 30), loss: loss(null) }, { step: 30, until: 30 }],
])("%s", (_, recorded, expected) => {
  expect(planDivergence(long, short, recorded)).toMatchObject({ ...expected, fromCheckpoints: true });
});

test("a run that did not come out again is trained from its start, as it was", () => {
  expect(planDivergence(long, long, { history: history(5, 4), loss: loss(null) })).toMatchObject({ step: 5, until: 5, fromCheckpoints: false });
});
