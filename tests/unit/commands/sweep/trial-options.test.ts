import { expect, test } from "vitest";
import { fieldAliases } from "../../../../src/commands/sweep/trial-options.js";
import { optionalNumber } from "../../../../src/commands/terminal/target.js";

test.each([
  [undefined, undefined],
  ["1", 1],
  ["16", 16],
])("--workers %s is %s", (workers, number) => expect(optionalNumber("--workers", workers)).toBe(number));

test.each(["0", "-1", "1.5", "two", ""])("--workers %j is refused", (workers) => {
  expect(() => optionalNumber("--workers", workers)).toThrow(
    expect.objectContaining({ code: "USAGE", message: `--workers takes a whole number of at least 1, not "${workers}"` }),
  );
});

test("the short options stand for fields, and no other option does", () => {
  const fields = { corpus: ["a.txt"], steps: "5", lr: "3e-4", batchSize: "8", device: "cpu", threads: "1", python: "/usr/bin/python3" };
  expect(fieldAliases({ out: "o", seeds: "1..2", workers: "3", ...fields })).toEqual(fields);
});
