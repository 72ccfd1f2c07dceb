import { expect, test } from "vitest";
import { z } from "zod";
import { callArguments } from "../../../src/bridge/call-arguments.js";

const schema = z.strictObject({
  steps: z.int().min(1),
  norm: z.enum(["rmsnorm", "layernorm"]).default("rmsnorm"),
  rows: z.array(z.int()).optional(),
  config: z.strictObject({ n_layer: z.int().optional(), n_head: z.int().optional() }).optional(),
});
const call = (given: unknown) => callArguments("Model.train", schema, given);

test("what is right comes back complete", () => expect(call({ steps: 3 })).toEqual({ steps: 3, norm: "rmsnorm" }));

test.each<[string, unknown, string, string]>([
  ["a value that is not accepted", { steps: 0 }, "steps", "0 is not accepted: expected an integer of at least 1"],
  ["one of a few names", { steps: 1, norm: "batch" }, "norm", '"batch" is not accepted: expected one of "rmsnorm", "layernorm"'],
  ["an argument that is missing", {}, "steps", "is missing: expected an integer of at least 1"],
  ["an item of a list", { steps: 1, rows: [1, "x"] }, "rows.1", '"x" is not accepted: expected an integer'],
  ["a misspelt option", { steps: 1, nrom: "rmsnorm" }, "nrom", "there is no such option; did you mean norm?"],
  ["a misspelt option further down", { steps: 1, config: { n_layr: 1 } }, "config.n_layr", "there is no such option; did you mean n_layer?"],
  ["an option that nothing is near", { steps: 1, config: { zzzzzzz: 1 } }, "config.zzzzzzz", "there is no such option; there are n_layer, n_head"],
])("%s is told with its path and what is accepted", (_, given, path, message) => {
  expect(() => call(given)).toThrow(expect.objectContaining({ code: "USAGE", message: `Model.train: ${path}: ${message}`, issues: [{ path, message }] }));
});

test("no object at all is told as the arguments", () => expect(() => call(7)).toThrow(/^Model\.train: \(arguments\): 7 is not accepted/));

test("everything that is wrong is told at once", () => {
  expect(() => call({ steps: 0, nrom: 1 })).toThrow(
    expect.objectContaining({
      issues: [
        { path: "steps", message: expect.any(String) },
        { path: "nrom", message: expect.any(String) },
      ],
    }),
  );
});
