import { describe, expect, test } from "vitest";
import { operations } from "../../../src/protocol/operations.js";

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
