import { expect, test } from "vitest";
import { bestOf, distanceOf } from "../../../../web/src/palette/match.js";

test("the nearer a text is to what was typed, the earlier it comes", () => {
  const texts = ["sn-e-e-d", "used", "my seed", "seeds", "Seed", "seed", "sede"];
  expect(bestOf(texts, "seed", (text) => [text], 9)).toEqual(["seed", "Seed", "seeds", "my seed", "sn-e-e-d"]);
  expect(bestOf(texts, "", (text) => [text], 2)).toEqual(["sn-e-e-d", "used"]);
});

test("letters in order with fewer others between them come first, and any text of an item counts", () => {
  expect(distanceOf("learning rate", "lrt")).toBeGreaterThan(distanceOf("l.r.t", "lrt") ?? 0);
  expect(distanceOf("rate", "tar")).toBeUndefined();
  expect(
    bestOf(
      [
        ["#", "35"],
        ["5", "53"],
      ],
      "35",
      (item) => item,
      9,
    ),
  ).toEqual([["#", "35"]]);
});
