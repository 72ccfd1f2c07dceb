import { expect, test } from "vitest";
import { lastLines } from "../../../src/python/last-lines.js";

test("the last words are the error's, not those of a progress bar", () => {
  const said = "Traceback:\n  line 1\nMemoryError: no room\r\n\rLoading weights:   0%|          | 0/28\rLoading weights:  54%|█████     | 15/28";
  expect(lastLines(said, 2)).toEqual(["  line 1", "MemoryError: no room"]);
});

test("what a line was overwritten with is what it says", () => {
  expect(lastLines("waiting\rfailed: disk full\n", 3)).toEqual(["failed: disk full"]);
});

test("escape sequences do not steer a terminal", () => {
  expect(lastLines("\u001b[31mred\u001b[0m\n", 1)).toEqual(["[31mred[0m"]);
});
