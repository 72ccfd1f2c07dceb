import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { BhBridgeError, type ConfigIssue } from "../../../src/errors.js";

function issuesOf(values: unknown, sources?: ReadonlyMap<string, string>, earlier?: readonly ConfigIssue[]): readonly ConfigIssue[] {
  try {
    parseRunConfig(values, sources, earlier);
  } catch (error) {
    if (error instanceof BhBridgeError) return error.issues ?? [];
    throw error;
  }
  return [];
}

test("what was left out is filled in, and what was given stays", () => {
  const config = parseRunConfig({ seed: 7, training: { max_steps: 5 } });
  expect(config).toMatchObject({ seed: 7, engine: { name: "trainer", processes: 1 }, training: { max_steps: 5, learning_rate: 1e-3 } });
});

test("wrong fields, unknown fields and broken rules are told at once", () => {
  const paths = issuesOf({ seed: -1, modle: {}, model: { n_embd: 63 } }).map(({ path }) => path);
  expect(paths.toSorted()).toEqual(["model.n_embd", "modle", "seed"]);
});

test("what was found earlier comes first, and is enough to refuse a configuration that is right", () => {
  const earlier = [{ path: "x", message: "is not path=value" }];
  expect(issuesOf({}, new Map(), earlier)).toEqual(earlier);
  expect(issuesOf({ seed: -1 }, new Map(), earlier).map(({ path }) => path)).toEqual(["x", "seed"]);
});

test("a problem has the source of its value, or of what the value stands in", () => {
  const sources = new Map([
    ["seed", "--seed"],
    ["training", "my.yaml:2:1"],
  ]);
  expect(issuesOf({ seed: -1, training: { max_steps: 0 } }, sources).map(({ path, source }) => [path, source])).toEqual([
    ["seed", "--seed"],
    ["training.max_steps", "my.yaml:2:1"],
  ]);
});

test.each([null, 5, "text", []])("%j is no configuration", (values) => {
  expect(issuesOf(values)).toMatchObject([{ path: "(the whole file)" }]);
});
