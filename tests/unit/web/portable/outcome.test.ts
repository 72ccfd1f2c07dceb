import { expect, test } from "vitest";
import type { Comparison, Snapshot } from "../../../../web/shared/portable/messages.js";
import { outcomeOf } from "../../../../web/shared/portable/outcome.js";

/** Snapshots from step 0 on. */
const snapshotsOf = (...comparisons: (Comparison | undefined)[]) => comparisons.map((comparison, step) => ({ step, comparison }) as Snapshot);
const equal = { isEqual: true } as const;

test("reports how many compared steps are equal; the initial state is not a step", () => {
  expect(outcomeOf(snapshotsOf(equal))).toBe("equal in every bit: 0 of 0 steps");
  expect(outcomeOf(snapshotsOf(equal, equal, equal))).toBe("equal in every bit: 2 of 2 steps");
  expect(outcomeOf(snapshotsOf(equal, undefined, equal))).toBe("equal in every bit: 1 of 1 steps");
});

test("names the first step and token that differ", () => {
  const different = { isEqual: false, rows: [101, 104, 120] } as const;
  expect(outcomeOf(snapshotsOf(equal, equal, different))).toBe(
    "different from step 2 on, first in token 101 (e) and 2 more. Equal in every bit before: 1 step",
  );
  expect(outcomeOf(snapshotsOf(different))).toBe("The initial weights differ, first in token 101 (e) and 2 more.");
  expect(outcomeOf(snapshotsOf(equal, { isEqual: false, rows: [] }))).toBe("different from step 1 on. Equal in every bit before: 0 steps");
});
