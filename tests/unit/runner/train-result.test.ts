import { expect, test } from "vitest";
import { finalLoss } from "../../../src/runner/train-result.js";

test.each<[string, [number, number | null][], number | null]>([
  [
    "the last that was logged",
    [
      [10, 3],
      [20, 2.5],
    ],
    2.5,
  ],
  [
    "none, where it is not finite, whatever was before",
    [
      [10, 3],
      [20, null],
    ],
    null,
  ],
  ["none, where nothing was logged", [], null],
])("the final loss is %s", (_, loss, final) => expect(finalLoss({ loss })).toBe(final));
