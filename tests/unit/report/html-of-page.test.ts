import { expect, test } from "vitest";
import { compactSvg, htmlOfPage } from "../../../src/report/html-of-page.js";
import { makeReport } from "../../../src/report/report-page.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

/** More than frames of a replay and points of a line: a longer run takes no more room. */
const steps = 3000;

test("two long runs, whose 128 tokens never rest, are a report under 3 MB, with a replay of both to the last step", async () => {
  const folder = temporaryDirectory();
  const runs = ["a", "b"].map((id, seed) => writeRun({ folder, id, seed, steps }));
  const { page } = await makeReport({ kind: "runs", runs });
  expect(htmlOfPage(page, "0").length).toBeLessThan(3_000_000);
  const played = page.sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === "replay" || block.kind === "pair" ? block.runs : [])));
  expect(played.map(({ frames }) => frames.steps.at(-1))).toEqual([steps, steps]);
  expect(played.reduce((sum, { frames: { places, classes } }) => sum + places.length + classes.length, 0)).toBeLessThanOrEqual(800_000);
});

/** The points that a path goes through, told by following its commands; a list for each part that begins anew. */
function pointsOf(path: string): number[][][] {
  const subpaths: number[][][] = [];
  let [x, y] = [0, 0];
  for (const [, command = "", rest = ""] of path.matchAll(/([A-Za-z])([^A-Za-z]*)/g)) {
    const numbers = [...rest.matchAll(/-?(?:\d+\.?\d*|\.\d+)/g)].map(Number);
    const isRelative = command === command.toLowerCase();
    const kind = command.toUpperCase();
    if (kind === "Z") [x = 0, y = 0] = subpaths.at(-1)?.[0] ?? [];
    const width = kind === "H" || kind === "V" ? 1 : 2;
    for (let at = 0; at < numbers.length; at += width) {
      const [first = 0, second = 0] = [numbers[at], numbers[at + 1]];
      const across = kind === "V" ? 0 : first;
      const down = kind === "V" ? first : kind === "H" ? 0 : second;
      x = kind === "V" ? x : isRelative ? x + across : across;
      y = kind === "H" ? y : isRelative ? y + down : down;
      if (kind === "M") subpaths.push([]);
      subpaths.at(-1)?.push([x, y]);
    }
  }
  return subpaths.filter((points) => points.length > 1 || points[0]?.some((value) => value !== 0));
}

/** How far a point is from a stretch of a line. */
function distance([x = 0, y = 0]: readonly number[], [ax = 0, ay = 0]: readonly number[], [bx = 0, by = 0]: readonly number[]): number {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
  return Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay));
}

const pathOf = (svg: string) => / d="([^"]*)"/.exec(svg)?.[1] ?? "";

test("a long line goes through the same places, to a tenth of a pixel, and is told in less than half", () => {
  const places = Array.from({ length: 300 }, (_, at) => [60 + at * 1.237, 200 + 80 * Math.sin(at / 9)]);
  const steps = `M${places.map(([x = 0, y = 0]) => `${x.toFixed(3)},${y.toFixed(3)}`).join("L")}M10,10L20,10H40V-5.25L40,30ZM0.5,0.5L0.04,0.04L-3.5,-2L17,8.1L-3.2,-120.4L107.35,80`;
  const compact = pathOf(compactSvg(`<path stroke="red" d="${steps}"/>`));
  expect(compact.length).toBeLessThan(0.55 * steps.length);
  const [given, made] = [pointsOf(steps), pointsOf(compact)];
  expect(made.map(([first]) => first?.map((value) => value.toFixed(1)))).toEqual(given.map(([first]) => first?.map((value) => value.toFixed(1))));
  const stretches = made.flatMap((points) => points.flatMap((point, at) => (at === 0 ? [] : [[points[at - 1] ?? [], point] as const])));
  for (const point of given.flat()) expect(Math.min(...stretches.map(([from, to]) => distance(point, from, to))), String(point)).toBeLessThan(0.1);
});

test("short paths, curves, and texts stay as they are; numbers of attributes lose digits that nobody sees", () => {
  const mark = '<path d="M0,3.4L2.1,-1Z"/>';
  const curve = `<path d="M0,0${"C1,1,2,2,3,3".repeat(20)}"/>`;
  const text = "<text>0.123456789</text>";
  expect(compactSvg(mark + curve + text)).toBe(mark + curve + text);
  expect(compactSvg('<line x1="728.0000000000001" class="series1"/>')).toBe('<line x1="728.00" class="series1"/>');
});
