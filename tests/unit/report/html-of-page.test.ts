import { expect, test } from "vitest";
import { htmlOfPage } from "../../../src/report/html-of-page.js";
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
  const played = page.sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === "replay" ? block.runs : [])));
  expect(played.map(({ frames }) => frames.steps.at(-1))).toEqual([steps, steps]);
  expect(played.reduce((sum, { frames: { places, classes } }) => sum + places.length + classes.length, 0)).toBeLessThanOrEqual(800_000);
});
