import { expect, test } from "vitest";
import { kinematics } from "../../../../src/figures/runs/motion.js";
import { figureOf, marksOf } from "../run-of-states.js";

/** The rows fly apart along the line between them, drifting, and then across it, without a drift. */
const states = [
  [
    [4, 0],
    [-4, 0],
  ],
  [
    [7, 0],
    [-3, 0],
  ],
  [
    [7, 2],
    [-3, -2],
  ],
];

test("speeds of the mean and around it, their parts, and how long they last", async () => {
  const figure = await figureOf(kinematics, { states, dtype: "F32" });
  expect(figure.panels.map(({ title, y }) => [title, y.unit])).toEqual([
    ["Bulk and peculiar speed", "weights per step"],
    ["Parts of the peculiar speed", "weights per step"],
    ["Outwards", "weights per step"],
    ["Persistence of motion", null],
  ]);
  // By hand: the mean moves by (2, 0) and not at all; the rest by (±1, 0), along the line, and by (0, ±2), across it.
  const [bulk, peculiar, radial, tangential, outwards, ofBulk, ofPeculiar] = marksOf(figure, "line");
  expect([bulk?.x, bulk?.y, peculiar?.y]).toEqual([
    [1, 2],
    [2, 0],
    [1, 2],
  ]);
  expect([radial?.y, tangential?.y, outwards?.y]).toEqual([
    [1, 0],
    [0, 2],
    [1, 0],
  ]);
  expect([ofBulk?.y[0], ofPeculiar?.y[0]]).toEqual([null, 0]);
});

test("rows that leave one shared place have no directions in that step, and no jump is drawn", async () => {
  const [, , radial, tangential, outwards] = marksOf(
    await figureOf(kinematics, {
      states: [
        [
          [4, 0],
          [4, 0],
        ],
        ...states,
      ],
      dtype: "F32",
    }),
    "line",
  );
  for (const line of [radial, tangential, outwards]) expect(line?.y[0]).toBeNull();
  expect(outwards?.y.slice(1)).toEqual([1, 0]);
});

test("a run without a step has none", async () => {
  await expect(figureOf(kinematics, { states: states.slice(0, 1) })).rejects.toThrow("no step");
});
