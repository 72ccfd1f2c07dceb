import { expect, test } from "vitest";
import { shownToken, tokenGroups } from "../../../src/figures/tokens.js";
import { type RunOfStates, runOfStates } from "./run-of-states.js";

test.each([
  [97, "a", "a"],
  [32, " ", "␣"],
  [10, "\n", "⏎"],
  [7, "\u0007", "7"],
  [51, "3", "'3'"],
  [300, null, "300"],
  [300, undefined, "300"],
])("token %i, written %j, is shown as %s", (token, text, shown) => expect(shownToken(token, text)).toBe(shown));

async function groupsOf(states: RunOfStates) {
  using run = runOfStates(states);
  const { names, ofRow } = await tokenGroups(run);
  return [...ofRow].map((group) => names[group]);
}

test("rows are live or dead by their tokens, also where chosen tokens alone have rows", async () => {
  const state = [[1], [2], [3]];
  expect(await groupsOf({ states: [state], dead: [1, 70] })).toEqual(["live tokens", "dead tokens", "live tokens"]);
  expect(await groupsOf({ states: [state], tokens: [70, 1, 65], dead: [1, 70] })).toEqual(["dead tokens", "dead tokens", "live tokens"]);
});
