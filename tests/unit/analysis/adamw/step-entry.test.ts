import { expect, test } from "vitest";
import { emptyStepEntry, enterComponent } from "../../../../src/analysis/adamw/adamw-ledger.js";

const bfloat16 = { narrowWeights: true, weightDecay: 0.1 };
const float32 = { narrowWeights: false, weightDecay: 0.1 };
/** Between 1 and 2, bfloat16 numbers are so far apart. */
const cell = 2 ** -7;

/** Where a component is counted. */
function counted(start: number, after: { weight: number; decayed: number; moved: number }, settings = bfloat16): string[] {
  const entry = emptyStepEntry(1);
  enterComponent(entry, start, { firstMoment: 0, secondMoment: 0, ...after }, settings);
  return [entry.movedBy, entry.heldBy].flatMap((counts) => Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : [])));
}

test.each([
  ["the moments alone", { weight: 1.5 + cell, decayed: 1.5 - cell / 8, moved: cell }, "moment 1"],
  ["the decay alone", { weight: 1.5 - cell, decayed: 1.5 - cell, moved: -cell / 8 }, "decay 1"],
  ["either alone", { weight: 1.5 - 2 * cell, decayed: 1.5 - cell, moved: -cell }, "either 1"],
  ["both together", { weight: 1.5 - cell, decayed: 1.5 - 0.375 * cell, moved: -0.375 * cell }, "together 1"],
])("a component that moved was moved by %s", (_, after, name) => {
  expect(counted(1.5, after)).toEqual([name]);
});

test.each([
  ["rounding, where both parts are smaller than half a cell", 1.5, { weight: 1.5, decayed: 1.5 - cell / 8, moved: cell / 8 }, "rounding 1"],
  ["opposition, where one part took back what the other would have done", 1.5, { weight: 1.5, decayed: 1.5 - cell, moved: cell }, "opposition 1"],
  ["opposition, where the moments alone would have moved it", 1.5, { weight: 1.5, decayed: 1.5 - 0.3125 * cell, moved: 0.625 * cell }, "opposition 1"],
  ["nothing, where a zero has no moment", 0, { weight: 0, decayed: 0, moved: 0 }, "nothing 1"],
  ["rounding, where the decay of a number is lost", 1.5, { weight: 1.5, decayed: 1.5, moved: 0 }, "rounding 1"],
])("a component that stayed was held by %s", (_, start, after, name) => {
  expect(counted(start, after)).toEqual([name]);
});

test("without decay, a number without a moment is held by nothing", () => {
  expect(counted(1.5, { weight: 1.5, decayed: 1.5, moved: 0 }, { narrowWeights: true, weightDecay: 0 })).toEqual(["nothing 1"]);
});

test("a float32 weight moves by less than a bfloat16 one", () => {
  const after = { weight: 1.5 + cell / 8, decayed: 1.5, moved: cell / 8 };
  expect(counted(1.5, after, float32)).toEqual(["moment 1"]);
  expect(counted(1.5, { ...after, weight: 1.5 })).toEqual(["rounding 1"]);
});

test("the sums are of absolute values: what each part adds, and what rounding takes", () => {
  const entry = emptyStepEntry(7);
  enterComponent(entry, 1.5, { weight: 1.5, decayed: 1.5 - cell / 4, moved: cell / 8, firstMoment: 0, secondMoment: 0 }, bfloat16);
  enterComponent(entry, 1.5, { weight: 1.5 - cell, decayed: 1.5 - cell / 2, moved: -cell / 4, firstMoment: 0, secondMoment: 0 }, bfloat16);
  expect(entry).toMatchObject({ step: 7, components: 2, unexplained: 0 });
  expect([entry.decay, entry.moment, entry.rounding]).toEqual([cell / 4 + cell / 2, cell / 8 + cell / 4, cell / 8 + cell / 4]);
});
