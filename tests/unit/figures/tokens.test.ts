import { expect, test } from "vitest";
import { tokenGroups } from "../../../src/figures/tokens.js";
import { type RunOfStates, runOfStates } from "./run-of-states.js";

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
