import { expect, test } from "vitest";
import { replayFrames } from "../../../../src/report/replay-frames.js";
import { placeOfRow } from "../../../../web/replay/row-place.js";
import { ViewAngle } from "../../../../web/replay/view-angle.js";
import { framedReplay } from "../../../../web/report/frames.js";
import { runOfStates, type StateRows } from "../../figures/run-of-states.js";

/** A triangle of sides 3, 4 and 5, twice its last corner. */
const corners: StateRows = [
  [0, 0],
  [3, 0],
  [3, 4],
  [3, 4],
];
const apart: StateRows = [
  [3, 4],
  [3, 0],
  [3, 4],
  [0, 0],
];

async function replayOf() {
  using run = runOfStates({ states: [corners, apart], steps: [0, 7], tokens: [65, 32, 1, 2], dead: [1, 2] });
  const frames = await replayFrames(run);
  if (!frames) throw new Error("the run has no replay");
  return await framedReplay(frames, "run");
}

test("rows of a report's replay are seen at their true distances, around the middle", async () => {
  const { history, basis, states } = await replayOf();
  const { matrix, offset } = new ViewAngle(basis).map(history.dims);
  const seen = (state: number, row: number) => placeOfRow(states.state(state), row, history.dims, history.dtype, matrix, offset);
  const distance = (state: number, a: number, b: number) => {
    const [first, second] = [seen(state, a), seen(state, b)];
    return Math.hypot(first[0] - second[0], first[1] - second[1]);
  };
  expect([distance(0, 0, 1), distance(0, 1, 2), distance(0, 2, 0), distance(1, 2, 3)]).toEqual([3, 4, 5, 5].map((side) => expect.closeTo(side, 3)));
  const reach = [0, 1].map((axis) => Math.max(...[0, 1, 2, 3].map((row) => Math.abs(seen(0, row)[axis] ?? 0))));
  expect(reach).toEqual(basis.reach.map((side) => expect.closeTo(side, 3)));
  const [x = 0, y = 0] = states.path(0).places[1] ?? [];
  expect([x, y]).toEqual(
    seen(1, 0)
      .slice(0, 2)
      .map((value) => expect.closeTo(value, 6)),
  );
});

test("its black holes are the rows of equal value, and its tokens are those of the run", async () => {
  const { history, states, nameOf } = await replayOf();
  expect([...states.holesOf(0).hole]).toEqual([0, 0, 1, 1]);
  expect(states.holesOf(0).populations).toEqual([2]);
  expect([...states.holesOf(1).hole]).toEqual([1, 0, 1, 0]);
  expect([history.steps, history.dead, [0, 1, 2].map(nameOf)]).toEqual([
    [0, 7],
    [2, 3],
    ["A", "␣", "\\x01"],
  ]);
});
