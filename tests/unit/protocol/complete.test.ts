import { expect, test } from "vitest";
import { z } from "zod";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { runConfigFields } from "../../../src/config/run-config-fields.js";
import { complete } from "../../../src/protocol/complete.js";

const section = complete(
  z.object({
    count: z.int().min(1).default(3),
    note: z.string().optional(),
    inner: z.strictObject({ flag: z.boolean().default(true) }).prefault({}),
    kind: z
      .literal(["short", "shorter"])
      .transform(() => "short" as const)
      .pipe(z.literal("short")),
  }),
);
const whole = { count: 1, inner: { flag: false }, kind: "short" };

test("what has a default is required, at any depth, and what may be left out still may be", () => {
  expect(section.parse(whole)).toEqual(whole);
  expect(section.parse({ ...whole, note: "n" })).toEqual({ ...whole, note: "n" });
  for (const wrong of [{ count: undefined }, { inner: undefined }, { inner: {} }]) expect(section.safeParse({ ...whole, ...wrong }).success).toBe(false);
});

test("bounds stay, no field is added, and a value has been transformed", () => {
  for (const wrong of [{ count: 0 }, { other: 1 }, { inner: { flag: true, other: 1 } }, { kind: "shorter" }]) {
    expect(section.safeParse({ ...whole, ...wrong }).success).toBe(false);
  }
});

test("every alternative of a union is complete", () => {
  const union = complete(
    z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("a"), size: z.int().default(1) }), z.strictObject({ kind: z.literal("b") })]),
  );
  expect(union.safeParse({ kind: "a", size: 2 }).success).toBe(true);
  expect(union.safeParse({ kind: "b" }).success).toBe(true);
  for (const wrong of [{ kind: "a" }, { kind: "b", size: 1 }, { kind: "c" }]) expect(union.safeParse(wrong).success).toBe(false);
});

test.each([{}, { init: { kind: "qwen" } }, { init: { kind: "unit-noise" } }, { init: { kind: "file", path: "a.pt" }, name: "n" }])(
  "a configuration is complete once it is parsed, not before: %j",
  (written) => {
    const parsed = parseRunConfig(written);
    expect(complete(runConfigFields).parse(parsed)).toEqual(parsed);
    expect(complete(runConfigFields).safeParse(written).success).toBe(false);
  },
);
