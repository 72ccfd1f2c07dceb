import { expect, test } from "vitest";
import type { BasisDocument } from "../../../../src/serve/documents.js";
import { ViewAngle } from "../../../../web/replay/view-angle.js";

const dims = 10;
/** The axes of the space themselves, around a mean of ones. */
const basis: BasisDocument = {
  schema: "bh-bridge/serve-basis@1",
  mean: new Array<number>(dims).fill(1),
  components: dims,
  directions: Array.from({ length: dims * dims }, (_, at) => (at % (dims + 1) === 0 ? 1 : 0)),
  reach: [1, 1, 1],
};

/** Products of the three vectors of a map with each other. */
function products(angle: ViewAngle): number[] {
  const { matrix } = angle.map(dims);
  const along = (axis: number) => Array.from({ length: dims }, (_, dim) => matrix[dim * 4 + axis] ?? 0);
  return [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => along(a).reduce((sum, value, dim) => sum + value * (along(b)[dim] ?? 0), 0)));
}

const orthonormal = [1, 0, 0, 0, 1, 0, 0, 0, 1];

test("it begins with the first three directions, seen from the mean", () => {
  const { matrix, offset } = new ViewAngle(basis).map(dims);
  expect([...matrix.slice(0, 12)]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
  expect(offset).toEqual([1, 1, 1]);
});

test("turning and touring keep lengths and angles, so that no point is bent", () => {
  const angle = new ViewAngle(basis);
  for (let at = 0; at < 200; at++) {
    angle.turn(0.13, -0.07);
    angle.tour(0.4);
  }
  for (const [at, product] of products(angle).entries()) expect(product).toBeCloseTo(orthonormal[at] ?? 0, 5);
});

test("the tour comes to see directions beyond the first three, and a reset goes back", () => {
  const angle = new ViewAngle(basis);
  angle.tour(6);
  const { matrix } = angle.map(dims);
  expect(Math.max(...[3, 4, 5, 6, 7].map((dim) => Math.abs(matrix[dim * 4] ?? 0)))).toBeGreaterThan(0.1);
  angle.reset();
  expect([...angle.map(dims).matrix.slice(0, 4)]).toEqual([1, 0, 0, 0]);
});

test("a quarter turn about the up axis brings the third direction to the right", () => {
  const angle = new ViewAngle(basis);
  angle.turn(Math.PI / 2, 0);
  const { matrix } = angle.map(dims);
  expect(Math.abs(matrix[2 * 4] ?? 0)).toBeCloseTo(1, 6);
});
