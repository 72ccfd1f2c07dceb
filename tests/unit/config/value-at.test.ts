import { expect, test } from "vitest";
import { valueAt } from "../../../src/config/value-at.js";

const values = { record: { rows: [3, 5] }, threads: null };

test.each([
  [[], values],
  [
    ["record", "rows"],
    [3, 5],
  ],
  [["record", "rows", 1], 5],
  [["record", "rows", "1"], 5],
  [["threads"], null],
  [["record", "rows", 2], undefined],
  [["threads", "below"], undefined],
  [["missing", "below"], undefined],
])("at %j there is %j", (path, value) => {
  expect(valueAt(path, values)).toEqual(value);
});

test("what every object inherits is no value of the configuration", () => {
  expect(valueAt(["constructor"], values)).toBeUndefined();
  expect(valueAt(["record", "toString"], values)).toBeUndefined();
});
