import { expect, test } from "vitest";
import { deadHoles, hasParted, soundness, verdict } from "../../../src/analysis/verdict.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { float64Matrix } from "./matrices.js";
import { memoryHistory } from "./memory-source.js";

const historyOf = (...states: number[][]) => memoryHistory("F64", [states.length, 2, 1], new Uint8Array(Float64Array.from(states.flat()).buffer));
const nan = Number.NaN;

test.each([
  [
    "moves",
    [
      [1, 2],
      [1, 3],
    ],
    [],
  ],
  [
    "never moves",
    [
      [1, 2],
      [1, 2],
    ],
    ["never-moved"],
  ],
  ["is one state", [[1, 2]], ["never-moved"]],
  [
    "is all zero",
    [
      [0, -0],
      [-0, 0],
    ],
    ["all-zero", "never-moved"],
  ],
  [
    "is nowhere finite",
    [
      [nan, nan],
      [nan, Number.POSITIVE_INFINITY],
    ],
    ["nothing-finite"],
  ],
])("a history that %s", async (_, states, degenerate) => {
  expect((await soundness(historyOf(...states))).degenerate).toEqual(expect.arrayContaining(degenerate));
  if (degenerate.length === 0) expect((await soundness(historyOf(...states))).degenerate).toEqual([]);
});

test("tokens that were not finite in some state are named, though they are finite at the end", async () => {
  expect((await soundness(historyOf([1, 2], [nan, 2], [1, 3]))).nonfiniteTokens).toEqual([0]);
});

const column = (...values: number[]) => float64Matrix(values.map((value) => [value]));

test("a hole that stays is one group; one that breaks is counted in its parts, and tokens that are alone", () => {
  const initial = column(1, 1, 1, 1, 1, 2);
  expect(deadHoles(initial, column(7, 7, 7, 7, 7, 2), [0, 1, 2, 3, 4])).toEqual([{ tokens: [0, 1, 2, 3, 4], together: [5], alone: 0 }]);
  const [parted] = deadHoles(initial, column(7, 7, 7, 8, 9, 2), [0, 1, 2, 3, 4]);
  expect(parted).toEqual({ tokens: [0, 1, 2, 3, 4], together: [3], alone: 2 });
});

test("live tokens in the same hole are not counted, at the start or at the end", () => {
  expect(deadHoles(column(1, 1, 1, 5), column(7, 7, 9, 7), [0, 1])).toEqual([{ tokens: [0, 1], together: [2], alone: 0 }]);
});

test("a hole with one dead token is none", () => {
  expect(deadHoles(column(1, 1, 2, 2), column(1, 1, 2, 2), [0, 2])).toEqual([]);
});

test("a dead token that shares its row with a live one alone is together with it, by itself", () => {
  expect(deadHoles(column(1, 1, 3), column(7, 3, 3), [0, 1])).toEqual([{ tokens: [0, 1], together: [1], alone: 1 }]);
});

test.each([
  [[3], 0, false],
  [[2, 1], 0, true],
  [[2], 1, true],
  [[], 2, true],
])("in groups of %j with %d alone it has parted: %s", (together, alone, parted) => {
  expect(hasParted({ tokens: [0, 1], together, alone })).toBe(parted);
});

/** A state written as a word: token i has the letter i, and equal letters are equal rows. `?` is a row with NaN, `!` one with infinity. */
function state(letters: string, ids?: readonly number[]): Matrix {
  const values = [...letters].flatMap((letter) => [1, letter === "?" ? Number.NaN : letter === "!" ? 1 / 0 : letter.charCodeAt(0)]);
  return new Matrix("F32", [letters.length, 2], new Uint8Array(Float32Array.from(values).buffer), ids && new RowTokens({ vocabulary: 128, ids }));
}

/** The verdict on six tokens, of which 0 to 3 are dead unless it is said otherwise. */
function judge(initial: string, final: string, { dead = [0, 1, 2, 3], ids }: { dead?: number[]; ids?: number[] } = {}) {
  return verdict({ initial: state(initial, ids), final: state(final, ids), deadTokens: dead, degenerate: [] });
}

const whole = "no split: the 4 dead tokens of the black hole at the start are still together";
const parted = "the 4 dead tokens of the black hole at the start have parted";

test.each([
  ["all live tokens have left", "aaaaaa", "aaaabc", whole],
  ["nobody has left", "aaaaaa", "aaaaaa", whole],
  ["the hole has moved", "aaaaaa", "bbbbcd", whole],
  ["live tokens share another hole", "aaaaaa", "aaaabb", `${whole}. Not scored: 1 black hole of live tokens only`],
  ["a live token is captured", "aaaabc", "bbbbbc", whole],
  ["the hole never had live tokens", "aaaabc", "ddddef", whole],
  ["two holes are whole", "aabbcd", "aabbcd", "no split: the 4 dead tokens of 2 black holes at the start are still together, hole by hole"],
  ["two holes have become one", "aabbcd", "eeeefg", "no split: the 4 dead tokens of 2 black holes at the start are still together, hole by hole"],
  ["a dead token that was alone joins", "aaabcd", "aaaacd", "no split: the 3 dead tokens of the black hole at the start are still together"],
  [
    "a dead token that shared a hole with a live one alone leaves it",
    "aabcbd",
    "aaecfd",
    "no split: the 2 dead tokens of the black hole at the start are still together",
  ],
])("dead tokens that are still together are null: %s", (_case, initial, final, reason) => {
  expect(judge(initial, final)).toEqual({ result: "null", reason });
});

test.each([
  ["the hole splits in two", "aaaaaa", "aabbcd", `${parted}: 2 + 2 in 2 black holes`],
  ["one is alone", "aaaaaa", "aaabcd", `${parted}: 3 in 1 black hole, 1 alone`],
  ["one is alone, and the hole has captured a live token", "aaaabc", "aaabac", `${parted}: 3 in 1 black hole, 1 alone`],
  ["one is in a hole of live tokens", "aaaaaa", "aaabbb", `${parted}: 3 + 1 in 2 black holes`],
  ["all are alone", "aaaaaa", "abcdef", `${parted}: 4 alone`],
  ["the hole splits, and live tokens share a third", "aaaaaa", "aabbcc", `${parted}: 2 + 2 in 2 black holes. Not scored: 1 black hole of live tokens only`],
  ["one of two holes parts", "aabbcd", "aaefcd", "1 of 2 black holes of dead tokens at the start have parted: of 2, 2 alone"],
  [
    "two tokens change places",
    "aabbcd",
    "ababcd",
    "2 of 2 black holes of dead tokens at the start have parted: of 2, 1 + 1 in 2 black holes; of 2, 1 + 1 in 2 black holes",
  ],
])("dead tokens that have parted are positive: %s", (_case, initial, final, reason) => {
  expect(judge(initial, final)).toEqual({ result: "positive", reason });
});

test.each([
  ["rows that never were equal", "abcdef", "ghijkl", "no two of the 4 dead tokens shared a black hole at the start"],
  ["rows that only came together later", "abcdef", "aaaaef", "no two of the 4 dead tokens shared a black hole at the start"],
  ["dead tokens that shared holes with live ones alone", "abcdab", "aacdab", "no two of the 4 dead tokens shared a black hole at the start"],
  ["all rows NaN at the end", "aaaaaa", "??????", "the weights of 6 of 6 tokens are not finite at the end"],
  ["one dead row NaN at the end", "aaaaaa", "aaa?bc", "the weights of 1 of 6 tokens are not finite at the end"],
  ["one live row NaN at the end", "aaaaaa", "aaaab?", "the weights of 1 of 6 tokens are not finite at the end"],
  ["rows of infinities, which equal each other", "aaaaaa", "!!!!bc", "the weights of 4 of 6 tokens are not finite at the end"],
])("what cannot be scored is degenerate: %s", (_case, initial, final, reason) => {
  expect(judge(initial, final)).toEqual({ result: "degenerate", reason: `not scored: ${reason}` });
});

test("without dead tokens, or with one, there is nothing to part", () => {
  expect(judge("aaaaaa", "aaabbb", { dead: [] })).toEqual({ result: "degenerate", reason: "not scored: none of the 6 rows belongs to a dead token" });
  const lonely = "not scored: only one of the 6 rows belongs to a dead token";
  expect(judge("aaaaaa", "abcdef", { dead: [2] })).toEqual({ result: "degenerate", reason: lonely });
});

test("recorded rows are tokens: those of live tokens are no evidence, those of dead ones are all of it", () => {
  const dead = [0, 1, 2, 3];
  expect(judge("aaa", "abc", { dead, ids: [65, 66, 67] }).reason).toBe("not scored: none of the 3 rows belongs to a dead token");
  expect(judge("aaa", "aab", { dead: [65, 67], ids: [66, 65, 67] })).toMatchObject({ result: "positive" });
  expect(judge("aaa", "abb", { dead: [65, 67], ids: [66, 65, 67] })).toMatchObject({ result: "null" });
});

test("of many black holes that parted, the first are told", () => {
  const dead = Array.from({ length: 10 }, (_, token) => token);
  const { reason } = judge("aabbccddee", "abcdefghij", { dead });
  expect(reason).toBe("5 of 5 black holes of dead tokens at the start have parted: of 2, 2 alone; of 2, 2 alone; of 2, 2 alone; and 2 more");
});

test("a degenerate history is named and not scored, whatever its states", () => {
  const input = { initial: state("aaaaaa"), final: state("aabbcd"), deadTokens: [0, 1, 2, 3] };
  const reason = "not scored: every weight is 0 in every state; no weight changed in any step";
  expect(verdict({ ...input, degenerate: ["all-zero", "never-moved"] })).toEqual({ result: "degenerate", reason });
});
