import { expect, test } from "vitest";
import { shownToken } from "../../../src/figures/shown-token.js";

test.each([
  [97, "a", "a"],
  [32, " ", "␣"],
  [10, "\n", "⏎"],
  [7, "\u0007", "7"],
  [51, "3", "'3'"],
  [300, null, "300"],
  [300, undefined, "300"],
])("token %i, written %j, is shown as %s", (token, text, shown) => expect(shownToken(token, text)).toBe(shown));
