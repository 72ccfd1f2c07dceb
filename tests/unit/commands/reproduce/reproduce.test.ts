import { expect, test } from "vitest";
import { formatReproduction } from "../../../../src/commands/reproduce/reproduce.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal.js";
import type { Reproduction } from "../../../../src/compare/reproduce.js";

const equal: Reproduction = { run: "/runs/one", steps: 1200, equal: true, first: null, loss: null, environment: [] };
const first = { step: 33, tensor: "wte", token: 17, component: 5, a: 0.25, b: 0.251953125, ulp: 2 };
const other: Reproduction = {
  ...equal,
  equal: false,
  first,
  loss: { step: 34, a: 2.5, b: 2.25 },
  environment: [{ path: "torch", values: ["2.13.0", "2.14.0"] }],
};
const colors = terminalColors(false);

test("equal is said in one line", () => {
  expect(formatReproduction(equal, colors)).toBe("Equal in every bit up to step 1,200");
});

test("a difference is told with its place, and with what differs in the environment", () => {
  expect(formatReproduction(other, colors)).toBe(`Not equal
  The history differs first at step 33, wte, token 17, component 5: 0.25 and 0.251953125, 2 ULP apart
  The loss differs first at step 34: 2.5 and 2.25
Changes in the environment:
  torch  2.13.0 → 2.14.0`);
});

test("where nothing differs in the environment, the run itself is in doubt", () => {
  expect(formatReproduction({ ...other, environment: [] }, colors)).toContain("bh-bridge runs verify");
});

test("a run of engine portable has no excuse in the environment, unless the recipe is another one", () => {
  const portable = { ...other, recipe: 1 };
  expect(formatReproduction(portable, colors)).toMatch(/Engine portable computes the same bits in every environment, so no change of it explains this/);
  const changed = { ...portable, environment: [...other.environment, { path: "recipe", values: [1, 2] }] };
  expect(formatReproduction(changed, colors)).toMatch(/recipe 1 of engine portable, this version of bh-bridge recipe 2, which computes other bits/);
  const elsewhere = { ...equal, recipe: 1, environment: [{ path: "threads", values: [1, 2] }] };
  expect(formatReproduction(elsewhere, colors)).toBe(`Equal in every bit up to step 1,200
Changes in the environment:
  threads  1 → 2
With engine portable, they change no bit`);
});

test.each([60, 100])("no line is wider than a terminal of %i columns", (width) => {
  for (const each of [equal, other, { ...other, environment: [] }])
    expect(
      formatReproduction(each, colors, width)
        .split("\n")
        .filter((line) => line.length > width),
    ).toEqual([]);
});

test("what two further trainings came to is told after it", () => {
  const unlike = [{ which: "a" as const, history: first, loss: null }];
  const deep = { a: "/runs/one", b: "/runs/one", until: 33, equalTo: 33, step: null, first: null, module: null, unlike };
  expect(formatReproduction({ ...other, deep }, colors)).toMatch(
    /\nTrained twice more, one after another:\n {2}Equal in every bit up to step 33: .*\n {2}the first differs from its recording: its history differs first at step 33, /,
  );
});
