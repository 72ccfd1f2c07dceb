import { describe, expect, test } from "vitest";
import { classCounts, classSizes } from "../../../../src/analysis/timeline/class-changes.js";
import { timeline } from "../../../../src/analysis/timeline/timeline.js";
import { memoryHistory } from "../memory-source.js";

test.each<[what: string, classes: number[], counts: object]>([
  ["no token", [], { unique: 0, C: 0, P: 0, largest: 0 }],
  ["all tokens apart", [0, 1, 2], { unique: 3, C: 0, P: 0, largest: 0 }],
  ["all tokens together", [0, 0, 0], { unique: 1, C: 1, P: 3, largest: 3 }],
  ["two holes and one alone", [0, 1, 0, 3, 1, 1], { unique: 3, C: 2, P: 5, largest: 3 }],
])("%s", (_, classes, counts) => {
  expect(classCounts(Int32Array.from(classes))).toEqual(counts);
});

test("the tokens of a class count at its first", () => {
  expect([...classSizes(Int32Array.from([0, 1, 0, 3, 1, 1]))]).toEqual([2, 3, 0, 1, 0, 0]);
});

/** A history of one dimension, a letter a token: equal letters are equal rows. */
function history(...states: readonly string[]) {
  const tokens = states[0]?.length ?? 0;
  return memoryHistory("U8", [states.length, tokens, 1], new Uint8Array(Buffer.from(states.join(""))));
}

const none = { fissions: [0], splits: [0], merges: [0], joins: [0], escapes: [0], captures: [0] };

describe.each(["wasm", "plain"] as const)("%s kernels", (kernels) => {
  // Each state is a string; black holes are repeated letters.
  test.each([
    ["a hole that moves as a whole", "aaab", "cccb", none],
    ["a hole that becomes two", "aaaab", "ccddb", { ...none, fissions: [1], splits: [1] }],
    ["a hole that becomes three: one fission", "aaaaaa", "ccddee", { ...none, fissions: [1], splits: [1] }],
    ["a token lost to solitude is a split and an escape, no fission", "aaab", "aacb", { ...none, splits: [1], escapes: [1] }],
    ["the first member of a hole escapes", "aaab", "caab", { ...none, splits: [1], escapes: [1] }],
    ["a hole that dissolves", "aab", "cdb", { ...none, splits: [1], escapes: [2] }],
    ["two holes that become one", "aabbc", "ddddc", { ...none, merges: [1], joins: [1] }],
    ["a token that is swallowed is a join and a capture, no merge", "aabc", "aaac", { ...none, joins: [1], captures: [1] }],
    ["two lone tokens that meet", "abc", "aac", { ...none, joins: [1], captures: [2] }],
    ["members that change places between two holes", "aabb", "abab", { ...none, fissions: [2], splits: [2], merges: [2], joins: [2] }],
    [
      "a hole whose one member is swallowed by another and whose other is left alone",
      "aaxbb",
      "aayba",
      { ...none, splits: [1], merges: [1], joins: [1], escapes: [1] },
    ],
    ["a lone token that changes alone", "aab", "aac", none],
  ])("%s: %s to %s", async (_, before, after, changes) => {
    expect(await timeline(history(before, after), { kernels })).toMatchObject(changes);
  });

  test("counts per state, and the first state with two holes", async () => {
    expect(await timeline(history("abcd", "aacd", "aaaa", "aabb", "aabc"), { kernels })).toMatchObject({
      unique: [4, 3, 1, 2, 3],
      C: [0, 1, 1, 2, 1],
      P: [0, 2, 4, 4, 2],
      largest: [0, 2, 4, 2, 2],
      firstStateWithTwoHoles: 3,
    });
    expect((await timeline(history("aab", "aab"), { kernels })).firstStateWithTwoHoles).toBeNull();
  });
});
