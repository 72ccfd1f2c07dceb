import { expect, test } from "vitest";
import { nearestName } from "../../../src/config/nearest-name.js";

test.each([
  ["learning_rat", ["learning_rate", "weight_decay"], "learning_rate"],
  ["rmsnorm", ["layernorm-control", "rmsnorm-11.2a"], "rmsnorm-11.2a"],
  ["quik", ["quick", "clean"], "quick"],
  ["zzz", ["quick", "clean"], undefined],
  ["", ["quick"], undefined],
  ["quick", [], undefined],
])("%s among %j is %s", (name, candidates, nearest) => {
  expect(nearestName(name, candidates)).toBe(nearest);
});
