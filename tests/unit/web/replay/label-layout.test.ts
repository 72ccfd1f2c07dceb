import fc from "fast-check";
import { expect, test } from "vitest";
import { type LabelAnchor, overlapping, placeLabels } from "../../../../web/replay/label-layout.js";

const stage = { width: 400, height: 300 };
const disc = (x: number, y: number, radius = 6): LabelAnchor => ({ x, y, radius, width: 60, height: 14 });

test("a single disc has its label to the right, and one at the right edge to the left, neither with a leader", () => {
  expect(placeLabels([disc(100, 100)], stage)).toEqual({
    labels: [{ anchor: 0, box: { left: 110, top: 93, right: 170, bottom: 107 }, leader: null }],
    more: 0,
  });
  expect(placeLabels([disc(395, 100)], stage).labels[0]?.box).toMatchObject({ right: 395 - 6 - 4 });
});

test("of twelve discs five are labelled, the most important ones, and seven more are counted", () => {
  const anchors = Array.from({ length: 12 }, (_, at) => disc(30 + 90 * (at % 4), 40 + 90 * Math.floor(at / 4)));
  const { labels, more } = placeLabels(anchors, stage);
  expect(labels.map(({ anchor }) => anchor)).toEqual([0, 1, 2, 3, 4]);
  expect(more).toBe(7);
});

test("discs at one place have labels with leaders", () => {
  const { labels } = placeLabels([disc(200, 150), disc(203, 151), disc(198, 149)], stage);
  expect(labels).toHaveLength(3);
  expect(labels.every(({ leader }) => leader !== null)).toBe(true);
});

test("a disc outside the stage has no label", () => {
  expect(placeLabels([disc(-20, 100), disc(100, 100)], stage)).toMatchObject({ labels: [{ anchor: 1 }], more: 1 });
});

test("labels lie inside the stage and overlap neither each other, nor discs, nor what is taken", () => {
  const coordinate = (most: number) => fc.double({ min: -20, max: most, noNaN: true });
  const anchor = fc.record({
    x: coordinate(420),
    y: coordinate(320),
    radius: fc.double({ min: 2, max: 40, noNaN: true }),
    width: fc.integer({ min: 10, max: 160 }),
    height: fc.constant(14),
  });
  fc.assert(
    fc.property(fc.array(anchor, { maxLength: 30 }), (anchors) => {
      const taken = [{ left: 0, top: 0, right: 120, bottom: 40 }];
      const { labels, more } = placeLabels(anchors, stage, { taken });
      expect(labels.length).toBeLessThanOrEqual(5);
      expect(labels.length + more).toBe(anchors.length);
      for (const [index, { box, anchor: own }] of labels.entries()) {
        expect(box.left >= 0 && box.top >= 0 && box.right <= stage.width && box.bottom <= stage.height).toBe(true);
        expect(taken.some((other) => overlapping(other, box))).toBe(false);
        expect(labels.slice(0, index).some((other) => overlapping(other.box, box))).toBe(false);
        const discs = anchors.filter((_, at) => at !== own);
        expect(discs.some(({ x, y, radius }) => overlapping({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius }, box))).toBe(false);
      }
    }),
    { numRuns: 200 },
  );
});
