import { expect, test } from "vitest";
import type { BasisDocument } from "../../../../src/serve/documents.js";
import { Camera } from "../../../../web/replay/camera.js";

const basis: BasisDocument = { schema: "bh-bridge/serve-basis@1", mean: [0, 0, 0, 0], components: 4, directions: [], reach: [2, 1, 1, 1] };
const size = { width: 890, height: 490 };

/** Where a point of the basis is on the picture, in pixels from its middle, y downwards. */
function seen(camera: Camera, point: readonly number[]): [number, number] {
  const [right = [], up = []] = camera.angle.axes;
  const along = (axis: readonly number[]) => axis.reduce((sum, share, at) => sum + share * (point[at] ?? 0), 0);
  const pixels = camera.pixelsPerUnit(size);
  return [(along(right) - camera.middle[0]) * pixels, -(along(up) - camera.middle[1]) * pixels];
}

test("the whole path fits: 800 pixels for 4 units across", () => {
  expect(new Camera(basis).pixelsPerUnit(size)).toBe(200);
});

test("a zoom keeps the point under the pointer, also of a turned camera", () => {
  const camera = new Camera(basis);
  camera.turn(0.7, -0.4);
  camera.pan(31, -17, size);
  const point = [0.3, -0.2, 0.5, 0];
  const before = seen(camera, point);
  camera.zoomAt(7, ...before, size);
  const after = seen(camera, point);
  expect(after[0]).toBeCloseTo(before[0], 6);
  expect(after[1]).toBeCloseTo(before[1], 6);
  expect(camera.pixelsPerUnit(size)).toBeCloseTo(1400, 6);
});

test("a drag moves every point by its pixels", () => {
  const camera = new Camera(basis);
  camera.zoomAt(3, 10, 20, size);
  const before = seen(camera, [1, 0.5, 0, 0]);
  camera.pan(40, -25, size);
  const after = seen(camera, [1, 0.5, 0, 0]);
  expect([after[0] - before[0], after[1] - before[1]].map((value) => Number(value.toFixed(6)))).toEqual([40, -25]);
});

test("looking at a point puts it into the middle, and what is at the distance at the edge", () => {
  const camera = new Camera(basis);
  camera.lookAt([0.5, -0.25, 0.1, 0], 0.01, size);
  expect(seen(camera, [0.5, -0.25, 0.1, 0]).map(Math.abs)).toEqual([0, 0]);
  expect(seen(camera, [0.5, -0.24, 0.1, 0])[1]).toBeCloseTo(-200, 6); // (490 − 90) / 2
});

test("the text of a camera gives the same camera; the untouched one has none", () => {
  const camera = new Camera(basis);
  expect(camera.text).toBe("");
  camera.turn(0.7, -0.4);
  camera.lookAt([0.123456789, -0.25, 0.1, 0.9], 0.01, size);
  expect(camera.text).toMatch(/^[\d._*-]+$/);
  const same = new Camera(basis);
  same.text = camera.text;
  expect(same.text.split("*").slice(0, 2)).toEqual(camera.text.split("*").slice(0, 2));
  const [before, after] = [seen(camera, [0.12, -0.25, 0.1, 0.9]), seen(same, [0.12, -0.25, 0.1, 0.9])];
  expect(Math.hypot(before[0] - after[0], before[1] - after[1])).toBeLessThan(0.1);
  same.reset();
  expect(same.text).toBe("");
});

test.each(["x", "0", "-3*1", "2*a_b", "1*0*1_0*1_0*1_0", "1e999", "*****"])("the text %j is no camera and shows the whole path", (text) => {
  const camera = new Camera(basis);
  camera.text = text;
  expect(camera.text).toBe("");
});
