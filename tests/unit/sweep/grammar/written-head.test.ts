import { expect, test } from "vitest";
import { z } from "zod";
import { writtenHead } from "../../../../src/sweep/grammar/written-head.js";

const schema = z.strictObject(writtenHead("sweep", "trial"));

test.each(["quick", "my.yaml", { seed: 1, "model.norm": "layernorm" }, undefined])("%j is a base", (base) => {
  expect(schema.safeParse(base === undefined ? {} : { base }).success).toBe(true);
});

test.each(["", 5, ["quick"]])("%j is none", (base) => {
  expect(schema.safeParse({ base }).success).toBe(false);
});

test("its fields say what they are of", () => {
  expect(schema.shape.name.description).toBe("Name of the sweep; that of its file when left out.");
  expect(schema.shape.base.description).toMatch(/^What every trial starts from/);
});
