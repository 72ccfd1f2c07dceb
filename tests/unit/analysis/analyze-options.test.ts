import { expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { geometry } from "../../../src/analysis/geometry/geometry.js";
import { stateGeometry } from "../../../src/analysis/geometry/state-geometry.js";
import { lifecycle } from "../../../src/analysis/lifecycle/lifecycle.js";
import { motion } from "../../../src/analysis/motion/motion.js";
import { firstState, timeline } from "../../../src/analysis/timeline/timeline.js";
import { soundness } from "../../../src/analysis/verdict.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { memoryHistory } from "./memory-source.js";

/** Three states of four bfloat16 tokens with two dims: tokens 1 and 3 are equal, token 0 moves by a cell in step 1, token 2 has NaN. */
const one = 0x3f80;
const bits = [
  [one, one, 0, 0, one, 0x7fc0, 0, 0],
  [one + 1, one, 0, 0, one, 0x7fc0, 0, 0],
  [one + 1, one, 0, 0, one, 0x7fc0, 0, 0],
];
const history = memoryHistory("BF16", [3, 4, 2], new Uint8Array(Uint16Array.from(bits.flat()).buffer));

function floatHistory(states: number, tokens: number, dims: number) {
  const values = Float32Array.from({ length: states * tokens * dims }, (_, index) => index % 17);
  return memoryHistory("F32", [states, tokens, dims], new Uint8Array(values.buffer));
}

test("`only` leaves the others out, and what every reader needs stays", async () => {
  const document = await analyze(history, { only: ["timeline", "topology"] });
  expect(Object.keys(document)).toEqual([
    "schema",
    "source",
    "states",
    "tokens",
    "dims",
    "dtype",
    "degenerate",
    "nonfiniteTokens",
    "finalCensus",
    "timeline",
    "topology",
    "notes",
  ]);
});

test("a whole analysis has every part", async () => {
  const document = await analyze(history);
  for (const part of ["timeline", "statistics", "motion", "lifecycle", "topology", "geometry"]) expect(document).toHaveProperty(part);
});

test("figures that NaN enters are null, and the notes say how many tokens hold it", async () => {
  const { motion, nonfiniteTokens, notes, geometry } = await analyze(history);
  expect(nonfiniteTokens).toEqual([2]);
  expect(motion?.weight.meanL1).toEqual([null, null]);
  expect(motion?.stillFraction).toEqual([0.5, 0.75]);
  expect(geometry?.centroidNorm).toEqual([null, null, null]);
  expect(geometry?.initialSpread).toEqual({ variances: null, explained: null, participationRatio: null });
  expect(notes).toEqual(["1 token holds NaN or infinity: numbers that are not finite for this reason are null"]);
});

test("a token with NaN is never called frozen, and its NaN is no motion", async () => {
  const { motion, lifecycle } = await analyze(history);
  expect(motion?.lastMotionStep).toEqual([1, null, null, null]);
  expect(lifecycle?.frozenFrom).toEqual([2, 1, null, 1]);
  expect(motion?.frozenFraction).toEqual([0.5, 0.75]);
});

test("arrays and topologies above their limits are left out, and the notes say so", async () => {
  const document = await analyze(history, { maxTokens: 1, maxNodes: 2, spreadDims: 1 });
  expect(document.finalCensus).toEqual({ rows: 4, unique: 3, C: 1, P: 2, populations: [2] });
  expect(document.motion).not.toHaveProperty("lastMotionStep");
  expect(Object.keys(document.lifecycle ?? {})).toEqual(["counts"]);
  expect(document.topology).toEqual({});
  expect(document.geometry).not.toHaveProperty("pathSpread");
  expect(document.notes).toEqual([
    "left out: geometry.initialSpread, geometry.finalSpread, geometry.pathSpread: 2 dimensions, more than 1 (spreadDims)",
    "1 token holds NaN or infinity: numbers that are not finite for this reason are null",
    "left out: finalCensus.members: 2 entries, more than 1 (maxTokens)",
    "left out: motion.lastMotionStep: 4 entries, more than 1 (maxTokens)",
    "left out: lifecycle.earlyEnd, lifecycle.midlifeEnd, lifecycle.lateEnd, lifecycle.frozenFrom: 4 entries, more than 1 (maxTokens)",
    "left out: topology.initial: 3 unique rows, more than 2 (maxNodes)",
    "left out: topology.final: 3 unique rows, more than 2 (maxNodes)",
  ]);
});

test("the arrays of a topology are per-token arrays too", async () => {
  const { topology, notes } = await analyze(history, { only: ["topology"], maxTokens: 2 });
  expect(topology?.initial).toMatchObject({ nodes: 3, edges: 0, isolated: 3 });
  expect(topology?.initial).not.toHaveProperty("degrees");
  expect(notes).toContain("left out: topology.initial.degrees, topology.initial.nearest, topology.initial.firstTokens: 3 entries, more than 2 (maxTokens)");
});

test("a history that is not bfloat16 has no lattice, and the notes say so", async () => {
  const document = await analyze(floatHistory(3, 4, 2));
  expect(document.motion).not.toHaveProperty("lattice");
  expect(document).not.toHaveProperty("lifecycle");
  expect(document).not.toHaveProperty("topology");
  expect(document.notes).toEqual([
    "left out: motion.lattice, motion.lastMotionStep, lifecycle, topology: only bfloat16 has a lattice, and this history is F32",
  ]);
});

test("states too large to be decoded are counted, not measured", async () => {
  const { notes, finalCensus, motion, geometry, timeline } = await analyze(memoryHistory("U8", [1, 2, 2 ** 24], new Uint8Array(2 ** 25)));
  expect({ motion, geometry }).toEqual({ motion: undefined, geometry: undefined });
  expect(finalCensus.members).toEqual([[0, 1]]);
  expect(timeline?.largest).toEqual([2]);
  expect(notes).toContain("left out: motion, geometry: a state has 33,554,432 numbers, more than 16,777,216");
});

test("rows of chosen tokens are reported as those tokens", async () => {
  const { tokenIds, finalCensus, nonfiniteTokens, topology, notes } = await analyze({
    ...history,
    rowTokens: new RowTokens({ vocabulary: 128, ids: [5, 9, 13, 77] }),
  });
  expect(tokenIds).toEqual([5, 9, 13, 77]);
  expect(finalCensus.members).toEqual([[9, 77]]);
  expect(nonfiniteTokens).toEqual([13]);
  expect(topology?.final?.firstTokens).toEqual([5, 9, 13]);
  expect(notes).toContain("the history holds 4 chosen tokens: per-token arrays have one entry for each, in the order of `tokenIds`");
});

test("degenerate histories are named", async () => {
  const zeros = memoryHistory("BF16", [2, 3, 2], new Uint8Array(Uint16Array.of(0, 0x8000, 0, 0, 0, 0, 0x8000, 0, 0, 0, 0, 0).buffer));
  expect((await analyze(zeros)).degenerate).toEqual(["all-zero", "never-moved"]);
  const nothing = memoryHistory("F32", [2, 1, 2], new Uint8Array(Float32Array.of(Number.NaN, 1 / 0, Number.NaN, -1 / 0).buffer));
  expect((await analyze(nothing)).degenerate).toEqual(["nothing-finite"]);
  expect((await analyze(memoryHistory("U8", [1, 2, 1], Uint8Array.of(1, 2)))).degenerate).toEqual(["never-moved"]);
  expect((await analyze(floatHistory(2, 3, 3))).degenerate).toEqual([]);
});

test.each([
  [[0, 2, 2], "its history is [0, 2, 2]"],
  [[2, 0, 2], "its history is [2, 0, 2]"],
  [[2, 2, 0], "its history is [2, 2, 0]"],
] as const)("a history of shape %j has nothing to analyse", async (shape, message) => {
  await expect(analyze(memoryHistory("U8", shape, new Uint8Array(0)))).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
    message: expect.stringContaining(message),
  });
});

test.each([-1, 0.5])("k = %d is no number of cells", async (k) => {
  await expect(analyze(history, { k })).rejects.toMatchObject({ code: "USAGE" });
});

test("each analysis alone gives what the document has", async () => {
  const document = await analyze(history);
  const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  expect(json(await timeline(history))).toEqual(document.timeline);
  expect(json(await motion(history))).toEqual(document.motion);
  expect(json(await lifecycle(history))).toEqual(document.lifecycle);
  expect(json(await geometry(history))).toEqual(document.geometry);
  const { degenerate, nonfiniteTokens } = document;
  expect(await soundness(history)).toEqual({ degenerate, nonfiniteTokens });
  expect(await geometry(history, { spreadDims: 1 })).not.toHaveProperty("pathSpread");
  await expect(lifecycle(floatHistory(2, 2, 2))).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});

test("the radii of one state, worked out by hand", () => {
  // Rows (0, 0), (6, 0), (0, 3), (6, 3): the centroid is (3, 1.5), and every row is √(9 + 2.25) from it.
  const matrix = new Matrix("U8", [4, 2], Uint8Array.of(0, 0, 6, 0, 0, 3, 6, 3));
  const radius = Math.sqrt(11.25);
  expect(stateGeometry(matrix)).toEqual({
    centroid: Float64Array.of(3, 1.5),
    centroidNorm: radius,
    maxRadius: radius,
    meanRadius: radius,
    rmsRadius: radius,
  });
});

test("tokens that leave a black hole because their rows became NaN are named, apart from those that move away", async () => {
  const letters = ["aaaabb", "aaacbb", "aa??bb", "aa??b?"];
  const values = [...letters.join("")].map((letter) => (letter === "?" ? Number.NaN : letter.charCodeAt(0)));
  const parting = memoryHistory("F32", [4, 6, 1], new Uint8Array(Float32Array.from(values).buffer));
  const { timeline: found, notes } = await analyze(parting);
  expect(found).toMatchObject({ escapes: [1, 1, 2], nanEscapes: [0, 1, 1] });
  expect(notes).toContain(
    "2 tokens left their black holes because their rows became NaN, first at step 2: such a row equals no other. They count as `escapes`, and their black holes as `splits`; `timeline.nanEscapes` counts them per step",
  );
  expect((await analyze(parting, { only: ["motion"] })).notes.join()).not.toContain("black holes");
});

test("any condition can be looked for in a timeline", async () => {
  const found = await timeline(history);
  expect(firstState(found, ({ state, unique }) => state > 0 && unique === 3)).toBe(1);
  expect(firstState(found, ({ largest, P }) => largest > 2 || P < 2)).toBeNull();
});
