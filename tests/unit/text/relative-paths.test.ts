import { expect, test } from "vitest";
import { withRelativePaths } from "../../../src/text/relative-paths.js";

test.each([
  ["a run of the directory: `/data/my sweeps/one/runs/a`.", "a run of the directory: `runs/a`."],
  ["another directory: /data/sweeps/one", "another directory: ../../sweeps/one"],
  ["cannot read /home/ada/text.txt: it is a folder", "cannot read ../../../home/ada/text.txt: it is a folder"],
  ['"/usr/lib/python3.11/json.py"', '"../../../usr/lib/python3.11/json.py"'],
  ["3/4 of and/or, 12 tokens/s, `/[A-Z]/`, https://example.org/a/b, ../a/b and a/b/c", undefined],
])("%s", (text, expected) => expect(withRelativePaths(text, "/data/my sweeps/one")).toBe(expected ?? text));
