import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { runConfigFields } from "../../../src/config/run-config-fields.js";
import { complete, envelopeSchema, generateOptionsSchema, operations } from "../../../src/protocol/operations.js";
import { expectedFrom } from "../formats/reference-python.js";

const handle = { slot: 0, generation: 1 };

test("a request or a reply with a field of nobody is refused, whatever the operation", () => {
  for (const [op, { request }] of Object.entries(operations)) {
    const told = request.safeParse({ novelty: 1 });
    expect(
      told.error?.issues.some(({ code }) => code === "unrecognized_keys"),
      op,
    ).toBe(true);
  }
});

describe("a handle is a slot and its use", () => {
  const { request } = operations.release;
  test.each([
    [handle, true],
    [{ slot: -1, generation: 1 }, false],
    [{ slot: 0, generation: 0 }, false],
    [{ slot: 0.5, generation: 1 }, false],
    [{ slot: 0 }, false],
  ])("%j: %s", (value, good) => expect(request.safeParse({ handle: value }).success).toBe(good));
});

test("a loss that is no number comes as one that is not, from the word for it", () => {
  const { reply } = operations["trainer.evaluate"];
  expect(reply.parse({ loss: "NaN", perplexity: "Infinity" })).toEqual({ loss: Number.NaN, perplexity: Number.POSITIVE_INFINITY });
  expect(reply.safeParse({ loss: "1.5", perplexity: 2 }).success).toBe(false);
});

test("a Python of another version may answer with its version alone", () => {
  const { reply } = operations.hello;
  expect(reply.parse({ protocol: 99, python: "9.9" })).toEqual({ protocol: 99, python: "9.9" });
  expect(reply.safeParse({ protocol: 99 }).success).toBe(false);
});

test("the sections of a configuration travel complete: a default that is left out is missing", () => {
  const { request } = operations["model.create"];
  const issues = request.safeParse({}).error?.issues.map(({ path }) => path[0]);
  expect(issues).toEqual(expect.arrayContaining(["config", "norm", "dtype", "init", "seed"]));
});

test("tokens are numbers from 0 on", () => {
  const { request } = operations["model.generate"];
  const issuesOf = (tokens: unknown) => request.safeParse({ handle, tokens, seed: null }).error?.issues.filter(({ path }) => path[0] === "tokens").length;
  expect([issuesOf([0, 127]), issuesOf([-1]), issuesOf([0.5]), issuesOf("abc")]).toEqual([0, 1, 1, 1]);
});

test("each option is transformers' own", () => {
  const theirs = expectedFrom<string[]>("import json; from transformers import GenerationConfig; print(json.dumps(list(vars(GenerationConfig()))))");
  expect(Object.keys(generateOptionsSchema.shape).filter((name) => !theirs.includes(name))).toEqual([]);
});

test.each([{ max_new_tokens: 0 }, { temperature: 0 }, { top_k: -1 }, { top_p: 1.1 }, { do_sample: 1 }, { stop_strings: ["x"] }])("%j is refused", (options) => {
  expect(generateOptionsSchema.safeParse(options).success).toBe(false);
});

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

const schema = envelopeSchema(z.strictObject({ steps: z.int() }));
const err = { type: "ValueError", module: "builtins", message: "no", code: null, mro: ["ValueError", "Exception"], traceback: "…" };

test("a reply or an exception, with the number of events", () => {
  expect(schema.parse({ ok: { steps: 3 }, events: 0 })).toEqual({ ok: { steps: 3 }, events: 0 });
  expect(schema.parse({ err, events: 2 })).toEqual({ err, events: 2 });
});

test.each([
  { ok: { steps: 3 } },
  { ok: { steps: "3" }, events: 0 },
  { ok: { steps: 3 }, err, events: 0 },
  { ok: { steps: 3 }, events: -1 },
  { err: { ...err, code: undefined }, events: 0 },
  { events: 0 },
])("%j is no answer", (answer) => {
  expect(schema.safeParse(answer).success).toBe(false);
});
