import { expect, test } from "vitest";
import { type AnalyzeOptions, analyze } from "../../../src/analysis/analyze.js";
import { formatAnalysis } from "../../../src/commands/analyze.js";
import type { TextColors } from "../../../src/text/format.js";
import { memoryHistory } from "../analysis/memory-source.js";

const mark =
  (name: string) =>
  (text: string): string =>
    `<${name}>${text}`;
const marks: TextColors = { bold: mark("bold"), cyan: mark("cyan"), dim: mark("dim"), green: mark("green"), red: mark("red"), yellow: mark("yellow") };

/** Two states of three bytes, all equal at first; one of them leaves. */
async function format(bytes: number[], options: AnalyzeOptions): Promise<string> {
  return formatAnalysis(await analyze(memoryHistory("U8", [2, 3, 1], Uint8Array.from(bytes)), options), marks, 80);
}

test("the last state stands between the timeline and the statistics of its populations; notes are last", async () => {
  const text = await format([7, 7, 7, 7, 7, 8], {});
  const titles = text.split("\n").flatMap((line) => (line.startsWith("<bold>") ? [line.slice("<bold>".length)] : []));
  expect(titles.slice(1)).toEqual(["Timeline", "Last state", "Statistics of its populations", "Motion", "Geometry", "Notes"]);
  expect(text).toContain("<bold>Last state\n  C = 1, P = 2, 2 unique of 3; populations 2\n");
});

test("the last state is told whatever was chosen, and nothing else that was not", async () => {
  expect(await format([7, 7, 7, 1, 2, 3], { only: [] })).toBe("<bold>memory: U8, 2 states of 3 × 1\n\n<bold>Last state\n  C = 0, P = 0, 3 unique of 3");
});

test("a degenerate history is called so before anything is told of it", async () => {
  const [, line] = (await format([7, 7, 7, 7, 7, 7], {})).split("\n");
  expect(line).toBe("<yellow>Degenerate (never-moved): no weight changed in any step. The results say");
});
