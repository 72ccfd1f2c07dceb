import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Analysis, analysisNotes, type Need } from "../../../src/analysis/analysis.js";
import { type AnalysisDocument, analysisDocumentSchema } from "../../../src/analysis/analysis-document.js";
import { admittedAnalyses, analyze } from "../../../src/analysis/analyze.js";
import { census } from "../../../src/analysis/census/census.js";
import { censusOfRows } from "../../../src/analysis/census/census-of-rows.js";
import { defaultSettings } from "../../../src/analysis/scan/observation.js";
import { readState } from "../../../src/formats/history.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { repetitions } from "../../repetitions.js";
import { differences } from "./differences.js";
import { memoryHistory, memorySource } from "./memory-source.js";
import { oracleCases } from "./oracle.js";

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

type Part<Name extends keyof AnalysisDocument> = NonNullable<AnalysisDocument[Name]>;

/** Of an analysis, what Python computes too; its displacement is the float64 one. */
interface Expected extends Pick<AnalysisDocument, "degenerate" | "finalCensus" | "lifecycle" | "topology" | "states" | "tokens" | "dims" | "dtype"> {
  readonly k: number;
  readonly nonfiniteTokens: readonly number[];
  readonly timeline: Part<"timeline">;
  readonly statistics: Part<"statistics">;
  readonly motion: Part<"motion">;
  readonly geometry: Omit<Part<"geometry">, "displacement"> & { readonly displacement: number | null };
}

/** Sums of the same numbers in another order differ in their last digits only. */
const sumTolerance = 1e-12;
/** What is left of two numbers that nearly cancel is compared with the size of what cancelled. */
const cancellation = 1e-13;
const countOfHistories = repetitions(320, 640);
const leastMatrices = countOfHistories * 16;

const { cases, file } = oracleCases<Expected>("histories", 20_260_801, countOfHistories);

const documents = new Map<string, AnalysisDocument>();

/** The analysis of a history, which several tests look at. */
async function documentOf(index: number, kernels: "wasm" | "plain"): Promise<AnalysisDocument> {
  const key = `${kernels} ${index}`;
  const known = documents.get(key);
  if (known) return known;
  const history = await openHistory(file(index));
  try {
    const document = await analyze(history, { k: cases[index]?.k, kernels, workers: 0 });
    documents.set(key, document);
    return document;
  } finally {
    history.close();
  }
}

/** The largest number in a file's history, the unit of what may cancel. */
async function scaleOf(index: number): Promise<number> {
  const history = await openHistory(file(index));
  let largest = 0;
  for (let state = 0; state < history.states; state++) {
    for (const value of readState(history, state).toFloat64()) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  }
  history.close();
  return largest * Math.sqrt(history.dims);
}

test(`${countOfHistories} histories hold more than ${leastMatrices} matrices, of every dtype, degenerate ones and ones with NaN among them`, () => {
  expect(cases.reduce((sum, { states }) => sum + states, 0)).toBeGreaterThan(leastMatrices);
  expect(new Set(cases.map(({ dtype }) => dtype)).size).toBe(13);
  expect(cases.filter(({ degenerate }) => degenerate.includes("never-moved")).length).toBeGreaterThan(countOfHistories / 32);
  expect(cases.filter(({ degenerate }) => degenerate.includes("all-zero")).length).toBeGreaterThan(0);
  expect(cases.filter(({ nonfiniteTokens }) => nonfiniteTokens.length > 0).length).toBeGreaterThan(countOfHistories / 13);
  expect(cases.filter(({ timeline }) => timeline.nanEscapes).length).toBeGreaterThan(countOfHistories / 64);
  for (const field of ["fissions", "splits", "merges", "joins", "escapes", "captures"] as const) {
    expect(cases.some(({ timeline }) => timeline[field].some((count) => count > 1))).toBe(true);
  }
});

describe.each(["wasm", "plain"] as const)("%s kernels agree with numpy", (kernels) => {
  test("on black holes, soundness and statistics", async () => {
    for (const [index, expected] of cases.entries()) {
      const { timeline, finalCensus, statistics, degenerate, nonfiniteTokens, states, tokens, dims, dtype } = await documentOf(index, kernels);
      const exact = { timeline, finalCensus, degenerate, nonfiniteTokens, states, tokens, dims, dtype };
      expect(exact, file(index)).toEqual(Object.fromEntries(Object.keys(exact).map((name) => [name, Reflect.get(expected, name)])));
      expect(differences(statistics, expected.statistics, sumTolerance, sumTolerance), file(index)).toEqual([]);
    }
  });
});

test("motion, lifecycle and topology agree with numpy", async () => {
  for (const [index, expected] of cases.entries()) {
    const { motion, lifecycle, topology } = await documentOf(index, "wasm");
    if (!motion) throw new Error("no motion");
    const { bulk, ...others } = motion;
    const { bulk: expectedBulk, ...expectedOthers } = expected.motion;
    expect(differences(others, expectedOthers, sumTolerance), file(index)).toEqual([]);
    const square = Math.max(...expected.motion.weight.maxL2.map((length) => (length ?? 0) ** 2));
    expect(differences(bulk, expectedBulk, sumTolerance, Number.isFinite(square) ? square * cancellation : 0), file(index)).toEqual([]);
    expect(lifecycle, file(index)).toEqual(expected.lifecycle);
    expect(differences(topology, expected.topology, sumTolerance), file(index)).toEqual([]);
  }
});

test("geometry agrees with numpy", async () => {
  for (const [index, expected] of cases.entries()) {
    const { geometry } = await documentOf(index, "wasm");
    if (!geometry) throw new Error("no geometry");
    const { displacement, initialSpread, finalSpread, pathSpread, ...series } = geometry;
    const { displacement: moved, initialSpread: initial, finalSpread: final, pathSpread: path, ...expectedSeries } = expected.geometry;
    const scale = await scaleOf(index);
    expect(
      differences({ ...series, displacement: displacement.float64 }, { ...expectedSeries, displacement: moved }, 1e-9, scale * 1e-12),
      file(index),
    ).toEqual([]);
    for (const [actual, wanted] of [[initialSpread, initial] as const, [finalSpread, final] as const, [pathSpread, path] as const]) {
      const largest = wanted?.variances?.[0] ?? 0;
      // Variances that are rounding alone, against the size of the points, have no digits to compare.
      if (actual?.variances !== null && largest < (scale * 1e-12) ** 2) continue;
      expect(differences(actual?.variances, wanted?.variances, 1e-9, Math.max(largest * 1e-12, (scale * 1e-13) ** 2)), file(index)).toEqual([]);
      expect(differences({ ...actual, variances: null }, { ...wanted, variances: null }, 1e-9, 1e-9), file(index)).toEqual([]);
    }
  }
});

test("the census of the last state is the same in memory, streamed, and streamed without SIMD", async () => {
  for (const [index, { finalCensus }] of cases.entries()) {
    const history = await openHistory(file(index));
    const last = readState(history, history.states - 1);
    history.close();
    expect(census(last), file(index)).toEqual(finalCensus);
    for (const kernels of ["wasm", "plain"] as const) {
      expect(await censusOfRows(memorySource(last), undefined, { kernels }), file(index)).toEqual(finalCensus);
    }
  }
});

test("worker threads find what one thread finds", async () => {
  const long = cases.flatMap(({ states }, index) => (states > 30 ? [index] : [])).slice(0, 6);
  for (const index of long) {
    const history = await openHistory(file(index));
    const [alone, shared] = [await analyze(history, { workers: 0 }), await analyze(history, { workers: 3 })];
    history.close();
    const { geometry, ...exact } = shared;
    const { geometry: expectedGeometry, ...expected } = alone;
    expect(exact).toEqual(expected);
    expect(differences(geometry, expectedGeometry, 1e-9, (await scaleOf(index)) ** 2 * 1e-12)).toEqual([]);
  }
});

test("every document keeps to its schema, also after JSON", async () => {
  for (const index of cases.keys()) {
    const document = await documentOf(index, "wasm");
    expect(analysisDocumentSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  }
});
