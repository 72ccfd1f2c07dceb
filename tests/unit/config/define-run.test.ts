import { expect, expectTypeOf, test } from "vitest";
import { defineRun, type RunInput } from "../../../src/config/resolve-run-config.js";
import type { RunConfig, RunConfigInput } from "../../../src/config/run-config-schema.js";

test("it gives back what it is given", () => {
  const config = { preset: "quick", training: { max_steps: 3 } } as const;
  expect(defineRun(config)).toBe(config);
});

// The rest is checked by the compiler: `npm run types` fails when a wrong line compiles or a right one does not.
test("the compiler refuses what does not belong", () => {
  const accepted: RunInput[] = [
    {},
    { preset: "rmsnorm-11.2a", training: { max_steps: 3, lr_scheduler_type: "constant" } },
    { init: { kind: "snowball", sigma: 1e-5 }, device: "cuda:1", record: { rows: [1, 2] } },
    { init: { kind: "qwen" }, model: { norm: "layernorm", n_embd: 32 } },
  ];
  const refused: RunInput[] = [
    // @ts-expect-error misspelt field
    { training: { max_step: 3 } },
    // @ts-expect-error misspelt field, in a configuration with a preset
    { preset: "quick", model: { n_heads: 3 } },
    // @ts-expect-error wrong literal
    { training: { lr_scheduler_type: "lineer" } },
    // @ts-expect-error sigma does not belong to singular
    { init: { kind: "singular", sigma: 1 } },
    // @ts-expect-error unknown preset
    { preset: "rmsnorm" },
    // @ts-expect-error wrong kind of norm
    { model: { norm: "batchnorm" } },
    // @ts-expect-error a field that the product owns
    { training: { output_dir: "x" } },
    // @ts-expect-error a number is wanted
    { device: "cuda:first" },
    // @ts-expect-error a tensor that cannot be recorded
    { record: { tensors: ["wpe"] } },
  ];
  expect([accepted.length, refused.length]).toEqual([4, 9]);
});

test("types: every field is optional in the input, and has its value in the output", () => {
  expectTypeOf<Record<string, never>>().toExtend<RunConfigInput>();
  expectTypeOf<RunConfig["training"]["max_steps"]>().toEqualTypeOf<number>();
  expectTypeOf<RunConfig["model"]["norm"]>().toEqualTypeOf<"rmsnorm" | "layernorm" | "native">();
  expectTypeOf<RunConfig["init"]["kind"]>().toEqualTypeOf<"normal" | "singular" | "snowball" | "unit-noise" | "file" | "python">();
  expectTypeOf<RunConfig>().toExtend<RunConfigInput>();
});
