import { expect, test } from "vitest";
import { chooseRuns, compareFields, isTagged, listedRun, meets, parseRunFilters } from "../../../src/runner/choose-runs.js";
import { writeRunNotes } from "../../../src/runs/run-manifest.js";
import { noLockHolders, scanRuns } from "../../../src/runs/scan-runs.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const out = temporaryDirectory();
for (const [id, seed, steps] of [
  ["a", 3, 30],
  ["b", 1, 30],
  ["c", 2, 10],
] as const)
  writeRun({ folder: out, id, seed, steps });
writeRunNotes(`${out}/c`, { note: "look here", tags: ["pin", "night"] });
const runs = await Promise.all((await scanRuns(out, noLockHolders)).map(listedRun));

const chosen = (sort: string, ...where: string[]) => chooseRuns(runs, { where, sort }).map(({ row }) => row.name);

test("runs are sorted by a field of theirs or of their configuration, both ways, pinned ones first", () => {
  expect(chosen("name")).toEqual(["c", "a", "b"]);
  expect(chosen("seed")).toEqual(["c", "b", "a"]);
  expect(chosen("-seed")).toEqual(["c", "a", "b"]);
  expect(chosen("-training.max_steps")).toEqual(["c", "a", "b"]); // alike, they stay in their order
});

test("a run has to meet all conditions", () => {
  expect(chosen("name", "seed>1")).toEqual(["c", "a"]);
  expect(chosen("name", "seed>1", "training.max_steps:30")).toEqual(["a"]);
  expect(chosen("name", "seed>1 note~look")).toEqual(["c"]);
  expect(chosen("name", "seed>9")).toEqual([]);
});

test("a field that no run has is refused, in a condition and in the order", () => {
  for (const refused of [() => chosen("sedd"), () => chosen("name", "sedd:1")]) expect(refused).toThrow(expect.objectContaining({ code: "USAGE" }));
});

test("a tag is the whole of it", () => {
  const [run] = runs.filter(({ row }) => row.name === "c");
  expect(run && ["pin", "night", "nigh", "PIN"].map((tag) => isTagged(run, tag))).toEqual([true, true, false, false]);
});

test.each([
  ["status:complted", "did you mean completed"],
  ["status!=faild", "did you mean failed"],
  ["seed:fortytwo", 'seed is a number, and "fortytwo" is none'],
  ["preset:quik", "did you mean preset:quick?"],
  ["model.norm:rmsnrom", "did you mean model.norm:rmsnorm?"],
])("the value of %s cannot be met by any run, and the nearest one is named", (condition, message) => {
  expect(() => chosen("name", condition)).toThrow(
    expect.objectContaining({ code: "USAGE", message: expect.stringMatching(new RegExp(message.replaceAll(/[?.]/g, "\\$&"), "i")) }),
  );
});

test("a value that some run could have is no mistake", () => {
  for (const condition of ["name:nothing", "seed:7", "status:failed", "status~comp", "tags:day"]) expect(() => chosen("name", condition)).not.toThrow();
});

test.each([
  ["seed>=42", 42, true],
  ["seed>42", 42, false],
  ["loss<1e-1", 0.05, true],
  ["status:done", "completed", true],
  ["name~SNOW", "snowball", true],
  ["tags:baseline", ["x", "baseline"], true],
  ["tags!=baseline", ["x"], true],
  ["loss<1", null, false],
] as const)("the condition %s on %j is %j", (text, value, expected) => {
  expect(parseRunFilters([text]).every((filter) => meets(value, filter))).toBe(expected);
});

test.each([
  ["rising", [1, 2, null]],
  ["falling", [2, 1, null]],
] as const)("runs without a value come last where the others are %s", (order, sorted) => {
  expect([1, null, 2].sort((left, right) => compareFields(left, right, order))).toEqual(sorted);
});

test("several conditions stand in one text or in many, and all have to be met", () => {
  expect(parseRunFilters(["status:done seed>=42", "  ", "name~a=b"])).toEqual([
    { field: "status", operator: ":", value: "completed" },
    { field: "seed", operator: ">=", value: "42" },
    { field: "name", operator: "~", value: "a=b" },
  ]);
});

test.each(["seed", "=42", "seed 42", ">"])("%j is no condition", (text) => {
  expect(() => parseRunFilters([text])).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("is not a condition") }));
});
