import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { firstOfPermutation, portableLibrary } from "../../../../src/report/retraining.js";
import { PortableLibrary } from "../../../../web/shared/portable/library.js";
import { learningRateOf } from "../../../../web/shared/portable/settings.js";
import { checkingCommands, triedConfig, usualSettings } from "../../../../web/src/try/tried-config.js";

describe("the order of windows", () => {
  // torch.randperm(10, generator=torch.Generator().manual_seed(42)), version 2.13.0
  const ofTorch = [2, 6, 1, 8, 4, 5, 0, 9, 3, 7];

  test("is torch's, of a whole epoch and of its beginning", async () => {
    const library = await PortableLibrary.load(Uint8Array.from(readFileSync(portableLibrary)).buffer);
    expect([...library.permutation(42, 10)]).toEqual(ofTorch);
    expect(firstOfPermutation(10, 42, 10)).toEqual(ofTorch);
    expect(firstOfPermutation(10, 42, 4)).toEqual(ofTorch.slice(0, 4));
    expect(firstOfPermutation(320_397, 43, 200)).toEqual([...library.permutation(43, 320_397)].slice(0, 200));
  });
});

describe("the learning rate", () => {
  const { training, ...config } = triedConfig({ ...usualSettings, steps: 10 });
  const rates = (changes: Partial<typeof training>) =>
    Array.from({ length: 10 }, (_, step) => learningRateOf({ ...config, training: { ...training, ...changes } }, step + 1));

  // get_scheduler of transformers 5.24 over 10 steps, read from the optimizer before each step
  test("falls linearly, with the roundings of transformers", () => {
    expect(rates({})).toEqual([0.001, 0.0009000000000000001, 0.0008, 0.0007, 0.0006, 0.0005, 0.0004, 0.0003, 0.0002, 0.0001]);
  });

  test("rises first if there is a warmup", () => {
    const linear = [0, 0.00025, 0.0005, 0.00075, 0.001, 0.0008333333333333334, 0.0006666666666666666, 0.0005, 0.0003333333333333333, 0.00016666666666666666];
    expect(rates({ warmup_steps: 4 })).toEqual(linear);
    expect(rates({ warmup_steps: 0.35 })).toEqual(linear);
    expect(rates({ warmup_steps: 4, lr_scheduler_type: "constant_with_warmup" }).slice(4)).toEqual(Array(6).fill(0.001));
    expect(rates({ lr_scheduler_type: "constant" })).toEqual(Array(10).fill(0.001));
  });
});

describe("the page Try it", () => {
  test.each([
    usualSettings,
    { norm: "layernorm", init: "snowball", learningRate: 3e-3, seed: 7, steps: 100 },
    { norm: "rmsnorm", init: "unit-noise", learningRate: 1e-4, seed: 0, steps: 20 },
    { norm: "layernorm", init: "normal", learningRate: 1e-2, seed: 2 ** 32 - 1, steps: 800 },
  ] as const)("trains the configuration that its command gives: $norm, $init", ({ norm, init, learningRate, seed, steps }) => {
    const command = checkingCommands({ norm, init, learningRate, seed, steps });
    const values = new Map([...command.matchAll(/--(?:set )?(\S+?)[ =](\S+)/g)].map(([, name = "", value = ""]) => [name, value]));
    const commanded = parseRunConfig({
      engine: values.get("engine") as "portable",
      seed: Number(values.get("seed") ?? 42),
      model: { norm: (values.get("model.norm") ?? "rmsnorm") as "rmsnorm" },
      init: { kind: (values.get("init.kind") ?? "singular") as "singular" },
      training: { max_steps: Number(values.get("steps")), learning_rate: Number(values.get("training.learning_rate") ?? 1e-3) },
    });
    expect(commanded).toMatchObject(triedConfig({ norm, init, learningRate, seed, steps }));
  });
});
