import { expect, test } from "vitest";
import { z } from "zod";
import { writtenIssues } from "../../../../src/sweep/grammar/written-issues.js";

const schema = z.strictObject({
  base: z.string().optional(),
  prune: z.strictObject({ every: z.int("expected a number of steps") }).optional(),
  seeds: z.array(z.int()),
});
const names = Object.keys(schema.shape);

function issuesOf(values: unknown) {
  const { error } = schema.safeParse(values);
  return error ? writtenIssues(error, values, names, (path) => `file:${path}`) : [];
}

test("what is right has no issues", () => expect(issuesOf({ seeds: [1] })).toEqual([]));

test.each([
  ["a field that is missing", {}, { path: "seeds", message: "is missing" }],
  [
    "a value, shown as it was written",
    { seeds: [1], prune: { every: 1.5 } },
    { path: "prune.every", message: "1.5 is not accepted: expected a number of steps" },
  ],
  ["an item of a list", { seeds: [1, "x"] }, { path: "seeds.1", message: expect.stringMatching(/^"x" is not accepted: /) }],
  ["a misspelt field", { seeds: [1], bass: "quick" }, { path: "bass", message: "unknown field; did you mean base?" }],
  ["a field that nothing is near", { seeds: [1], zzzzzzzz: 1 }, { path: "zzzzzzzz", message: "unknown field; there are base, prune, seeds" }],
  ["an unknown field further down", { seeds: [1], prune: { every: 1, bass: 2 } }, { path: "prune.bass", message: "unknown field" }],
])("%s has its place and its source", (_, values, issue) => {
  expect(issuesOf(values)).toEqual([{ ...issue, source: `file:${issue.path}` }]);
});

test("a file that is no object at all is told as a whole", () => {
  expect(issuesOf([])).toMatchObject([{ path: "(the whole file)", message: expect.stringMatching(/^\[\] is not accepted: /) }]);
});

test("two misspelt fields are two issues", () => {
  expect(issuesOf({ seeds: [1], bass: 1, prunes: 2 }).map(({ path }) => path)).toEqual(["bass", "prunes"]);
});
