import { expect, test } from "vitest";
import { requestedAnalysis } from "../../../../src/figures/runs/requested-analysis.js";
import { runOfStates } from "../run-of-states.js";

test("an analysis that a run has nothing for tells why, one that it has is made", async () => {
  using run = runOfStates({
    states: [
      [[0], [0]],
      [[1], [3]],
    ],
    dtype: "F32",
  });
  expect(await requestedAnalysis(run, "deadMass")).toEqual({ absent: expect.stringMatching(/^it takes a run that recorded logits\.mean/) });
  expect(await requestedAnalysis(run, "kinematics")).toMatchObject({ part: { bulkSpeed: [2] } });
});
