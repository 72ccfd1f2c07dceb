import { expect, test } from "vitest";
import { motionAnalysis } from "../../../../src/analysis/motion/analysis.js";

const norms = { meanL1: [1, 2], maxL1: [1, 2], meanL2: [0.5, null], maxL2: [1, 2], meanLinf: [1, 2], maxLinf: [1, 2] };
const motion = { weight: norms, stillFraction: [0, 1], frozenFraction: [0, 1], bulk: [0.25, 0], thermal: [1e-9, 0], participation: [0.125, 0] };

test("steps are a table; what is not finite is a dash", () => {
  expect(motionAnalysis.print(motion, (state) => 10 * state)).toEqual([
    "|ΔW| is the mean length of a token's step",
    {
      head: ["step", "|ΔW|", "still", "frozen", "bulk", "thermal", "particip."],
      rows: [
        ["10", "0.5000", "0.0 %", "0.0 %", "0.2500", "1.00e-9", "0.1250"],
        ["20", "–", "100.0 %", "100.0 %", "0", "0", "0"],
      ],
    },
  ]);
});

test("a history with a lattice has a column of cells", () => {
  const [line, table] = motionAnalysis.print({ ...motion, lattice: { ...norms, meanL2: [3, 4] } }, (state) => state);
  expect(line).toBe("|ΔW| is the mean length of a token's step, in weights and in lattice cells");
  expect(table).toMatchObject({ head: ["step", "|ΔW|", "cells", "still", "frozen", "bulk", "thermal", "particip."] });
  expect(typeof table === "object" && table.rows.map((row) => row[2])).toEqual(["3.000", "4.000"]);
});

test("a history of one state has no step", () => {
  const nothing = { meanL1: [], maxL1: [], meanL2: [], maxL2: [], meanLinf: [], maxLinf: [] };
  const none = { weight: nothing, stillFraction: [], frozenFraction: [], bulk: [], thermal: [], participation: [] };
  expect(motionAnalysis.print(none, (state) => state)).toEqual(["There are no steps."]);
});
