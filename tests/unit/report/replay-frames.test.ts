import { expect, test } from "vitest";
import { packedFrames, packedText, replayFrames, sharedFrames } from "../../../src/report/replay-frames.js";
import { unpackedFrames, unpackedText } from "../../../web/report/unpacked.js";
import { type RunOfStates, runOfStates, type StateRows } from "../figures/run-of-states.js";
import { expectedFrom } from "../formats/reference-python.js";

/** Frames of a run, unpacked: of each its rows as places in weights, and its classes. */
async function played(states: RunOfStates, share?: number) {
  using run = runOfStates(states);
  const frames = await replayFrames(run, share);
  if (!frames) return undefined;
  const { steps, tokens, width, height } = frames;
  const places = await unpackedFrames(frames.places, 2 * tokens.length);
  const classes = await unpackedFrames(frames.classes, tokens.length);
  const at = (index: number) => ((places[index] ?? 0) / 65_535) * (index % 2 === 0 ? width : height);
  return {
    ...{ steps, tokens, width, height },
    rows: steps.map((_, frame) => tokens.map((_token, row) => [at(2 * (frame * tokens.length + row)), at(2 * (frame * tokens.length + row) + 1)] as const)),
    classes: steps.map((_, frame) => [...classes.subarray(frame * tokens.length, (frame + 1) * tokens.length)]),
  };
}

/** A triangle of sides 3, 4 and 5, so many times as large. */
const triangle = (size: number): StateRows => [
  [0, 0],
  [3 * size, 0],
  [3 * size, 4 * size],
];

test("rows are played at their true distances, in every frame", async () => {
  const replay = await played({ states: [triangle(1), triangle(2), triangle(4)], steps: [0, 10, 20] });
  expect(replay?.steps).toEqual([0, 10, 20]);
  for (const [frame, size] of [1, 2, 4].entries()) {
    const [a = [0, 0], b = [0, 0], c = [0, 0]] = replay?.rows[frame] ?? [];
    const sides = [
      [a, b],
      [b, c],
      [c, a],
    ].map(([from = [0, 0], to = [0, 0]]) => Math.hypot(from[0] - to[0], from[1] - to[1]) / size);
    for (const [side, length] of [3, 4, 5].entries()) expect(sides[side]).toBeCloseTo(length, 2);
  }
});

test("rows of one black hole have one class, that of their first row, and tokens say how they are written and which are dead", async () => {
  const together: StateRows = [
    [1, 1],
    [3, 4],
    [1, 1],
  ];
  const replay = await played({ states: [triangle(1), together], tokens: [65, 32, 1], dead: [1] });
  expect(replay?.classes).toEqual([
    [0, 1, 2],
    [0, 1, 0],
  ]);
  expect(replay?.tokens).toEqual([
    { name: "A", dead: false },
    { name: "␣", dead: false },
    { name: "\\x01", dead: true },
  ]);
});

test("what follows when nothing moves any more is not played", async () => {
  expect((await played({ states: [triangle(1), triangle(2), triangle(3), triangle(3), triangle(3)] }))?.steps).toEqual([0, 1, 2]);
});

test("a row that is no number stays in the middle", async () => {
  const broken: StateRows = [
    [Number.NaN, 0],
    [3, 0],
    [3, 4],
  ];
  const replay = await played({ states: [triangle(1), broken] });
  expect(replay?.rows[1]?.flat().every(Number.isFinite)).toBe(true);
});

test("a long training has at most 1000 frames, its last state among them", async () => {
  const states = Array.from({ length: 1100 }, (_, state) => triangle(1 + (state % 7)));
  const replay = await played({ states });
  expect([replay?.steps.length, replay?.steps[0], replay?.steps.at(-1)]).toEqual([1000, 0, 1099]);
});

test("several runs share what a report can hold: each has fewer frames, its last state among them, or is not played", async () => {
  const states = Array.from({ length: 100 }, (_, state) =>
    Array.from({ length: 64 }, (_row, row) => [Math.sin(state * row) * 8, Math.cos(3 * state + row * row)]),
  );
  using run = runOfStates({ states });
  expect((await replayFrames(run))?.steps).toHaveLength(100);
  const frames = await replayFrames(run, 1 / 50);
  expect((frames?.places.length ?? 0) + (frames?.classes.length ?? 0)).toBeLessThanOrEqual(800_000 / 50);
  expect(frames?.steps.length).toBeGreaterThan(20);
  expect([frames?.steps[0], frames?.steps.at(-1)]).toEqual([0, 99]);
  expect(await replayFrames(run, 1 / 5000)).toBeUndefined();
});

test("runs in one view have their true distances from each other; runs of other rows are not played together", async () => {
  const moved = (by: number): StateRows => triangle(1).map(([x = 0, y = 0]) => [x + by, y + 2 * by]);
  using first = runOfStates({ states: [triangle(1), triangle(2)] });
  using second = runOfStates({ states: [moved(4), moved(8)] });
  const frames = (await sharedFrames([first, second])) ?? [];
  expect(frames.map(({ width, height }) => [width, height])).toEqual([0, 1].map(() => [frames[0]?.width, frames[0]?.height]));
  const [ours = [], theirs = []] = await Promise.all(
    frames.map(async ({ places, width, height }) => {
      const at = [...(await unpackedFrames(places, 6))].map((place, index) => (place / 65_535) * (index % 2 === 0 ? width : height));
      return [0, 1].map((frame) => at.slice(6 * frame, 6 * frame + 2)); // of the first row
    }),
  );
  for (const [frame, by] of [4, 8].entries()) {
    const [[x = 0, y = 0] = [], [u = 0, v = 0] = []] = [ours[frame], theirs[frame]];
    expect(Math.hypot(u - x, v - y)).toBeCloseTo(by * Math.sqrt(5), 2);
  }
  using wide = runOfStates({ states: [[[1, 2]], [[3, 5]]] });
  expect(await sharedFrames([first, wide])).toBeUndefined();
});

test("rows that differ in one direction alone are not played", async () => {
  expect(
    await played({
      states: [
        [[1], [2]],
        [[1], [3]],
      ],
    }),
  ).toBeUndefined();
});

const inflated = "import base64, json, sys, zlib; print(json.dumps(list(zlib.decompress(base64.b64decode(sys.argv[1]), -15))))";

test("a text is raw DEFLATE in base64, which Python reads too, and has no character of markup", () => {
  const text = 'é</script><!-- "\u2028';
  const packed = packedText(text);
  expect(packed).toMatch(/^[A-Za-z0-9+/=]+$/);
  expect(Buffer.from(expectedFrom<number[]>(inflated, packed)).toString("utf8")).toBe(text);
});

test("frames are their folded differences, low bytes before high ones", () => {
  // Frames of two: 5, 65535; then 4, 0 (−1 and +1); then 304, 65535 (+300 and −1 again, over the end of 16 bits).
  const packed = packedFrames(Uint16Array.of(5, 65_535, 4, 0, 304, 65_535), 2);
  // Folded: +5 is 10, −1 is 1; −1 is 1, +1 is 2; +300 is 600 = 2 × 256 + 88, −1 is 1.
  expect(expectedFrom(inflated, packed)).toEqual([10, 1, 1, 2, 88, 1, 0, 0, 0, 0, 2, 0]);
});

test("a browser unpacks what was packed", async () => {
  expect(await unpackedText(packedText("ünïcode ⏎"))).toBe("ünïcode ⏎");
  const numbers = Uint16Array.from({ length: 3000 }, (_, index) => (index * index * 977) % 65_536);
  for (const width of [1, 7, 3000]) expect(await unpackedFrames(packedFrames(numbers, width), width)).toEqual(numbers);
});
