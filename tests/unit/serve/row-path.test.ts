import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { History } from "../../../src/formats/history.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { rowPath } from "../../../src/serve/state-measures.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-path-"));
const path = join(folder, "states");
afterAll(() => rmSync(folder, { recursive: true }));

/** Five states of two rows of two numbers behind eight other bytes; row 1 goes from (0, 10) to (4, 10), and is no number in state 2. */
const states = Array.from({ length: 5 }, (_, state) => [9, 9, state === 2 ? Number.NaN : state, 10]).flat();
writeFileSync(path, Buffer.concat([Buffer.alloc(8), Buffer.from(Float32Array.from(states).buffer)]));
const history: History = {
  source: "test",
  dtype: "F32",
  states: 5,
  tokens: 2,
  dims: 2,
  rowTokens: RowTokens.all(2),
  raw: { path, offset: 8 },
  read: () => {
    throw new Error("a whole state was read");
  },
  close() {},
};
/** Seen from (1, 10), first upwards and then to the right. */
const basis = { center: Float64Array.of(1, 10), axes: [Float64Array.of(0, 1), Float64Array.of(1, 0)] };

test("the way of a row is read without the other rows; where it is no number, it has no place", () => {
  expect(rowPath(history, basis, 1, 400)).toEqual({
    states: [0, 1, 3, 4],
    places: [
      [0, -1],
      [0, 0],
      [0, 2],
      [0, 3],
    ],
  });
});

test("of many states some are told, the first and the last among them", () => {
  expect(rowPath(history, basis, 0, 3).states).toEqual([0, 2, 4]);
});

test("a row that there is not is refused, and so are states that are packed", () => {
  expect(() => rowPath(history, basis, 2, 400)).toThrow(expect.objectContaining({ code: "USAGE" }));
  const { raw: _, ...packed } = history;
  expect(() => rowPath(packed, basis, 1, 400)).toThrow(expect.objectContaining({ code: "FORMAT_UNSUPPORTED" }));
});
