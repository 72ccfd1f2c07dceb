import { expect, test } from "vitest";
import { z } from "zod";
import { admittedAnalyses } from "../../../src/analysis/admitted-analyses.js";
import type { Analysis, Need } from "../../../src/analysis/analysis.js";
import { analysisNotes } from "../../../src/analysis/analysis-notes.js";
import { defaultSettings } from "../../../src/analysis/analysis-settings.js";
import { memoryHistory } from "./memory-source.js";

const history = memoryHistory("U8", [1, 1, 1], Uint8Array.of(7));

function analysis(name: string, ...needs: Need[]): Analysis {
  return { name, schema: z.null(), needs, finish: () => null, title: name, print: () => [] };
}

function need(reason: string | undefined, ...fields: string[]): Need {
  return { ...(fields.length > 0 && { fields }), unmet: () => reason };
}

const plain = { history, run: undefined, settings: defaultSettings };

function admitted(...analyses: Analysis[]): { names: string[]; lines: string[] } {
  const lines: string[] = [];
  const names = admittedAnalyses(analyses, plain, analysisNotes(lines, 1, "")).map(({ name }) => name);
  return { names, lines };
}

test("an analysis whose needs are met is admitted, and nothing is noted", () => {
  expect(admitted(analysis("a"), analysis("b", need(undefined), need(undefined, "x")))).toEqual({ names: ["a", "b"], lines: [] });
});

test("a need of some fields leaves these out, one of the whole part the analysis", () => {
  expect(admitted(analysis("a", need("too small", "x", "y")), analysis("b", need("too dark")))).toEqual({
    names: ["a"],
    lines: ["left out: a.x, a.y: too small", "left out: b: too dark"],
  });
});

test("a reason that several analyses share is one line, and the first that takes an analysis away ends it", () => {
  const late = need("too late");
  expect(admitted(analysis("a", need("too small", "x"), late), analysis("b", need("too small"), late), analysis("c", late))).toEqual({
    names: [],
    lines: ["left out: a.x, b: too small", "left out: a, c: too late"],
  });
});

test("a need is asked of the history and the settings", () => {
  const lines: string[] = [];
  const asks: Need = { unmet: ({ tokens }, { k }) => `${tokens} and ${k}` };
  admittedAnalyses([analysis("a", asks)], { ...plain, settings: { ...defaultSettings, k: 5 } }, analysisNotes(lines, 1, ""));
  expect(lines).toEqual(["left out: a: 1 and 5"]);
});
