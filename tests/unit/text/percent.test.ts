import { expect, test } from "vitest";
import { percent } from "../../../src/text/percent.js";

test.each([
  [0, "0.0 %"],
  [1 / 8, "12.5 %"],
  [1, "100.0 %"],
  [null, "–"],
  [undefined, "–"],
])("%s is %s", (share, text) => expect(percent(share)).toBe(text));
