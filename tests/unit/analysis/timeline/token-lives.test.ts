import { expect, test } from "vitest";
import { HoleTracker, lifeOrder, type TokenLives } from "../../../../src/analysis/timeline/token-lives.js";

/** The lives of tokens, each a letter: equal letters of a snapshot share a row. */
function livesOf(...snapshots: string[]): TokenLives {
  const tracker = new HoleTracker(snapshots[0]?.length ?? 0);
  for (const letters of snapshots) tracker.add(Int32Array.from(letters, (letter) => letters.indexOf(letter)));
  return tracker.lives();
}

/** The black hole of each row in each snapshot, one line per snapshot. */
function holesOf({ states, rows, start, from, hole }: TokenLives): string[] {
  return Array.from({ length: states }, (_, state) =>
    Array.from({ length: rows }, (_row, row) => {
      let at = start[row] ?? 0;
      while (at + 1 < (start[row + 1] ?? 0) && (from[at + 1] ?? states) <= state) at++;
      return hole[at];
    }).join(""),
  );
}

test("a token that leaves is alone, and one that returns is in the same black hole", () => {
  expect(holesOf(livesOf("aaaaa", "aaaab", "aaaaa"))).toEqual(["11111", "11110", "11111"]);
});

test("when a black hole splits, the larger part stays the same", () => {
  expect(holesOf(livesOf("aaaaa", "aabbb", "aabbb"))).toEqual(["11111", "22111", "22111"]);
});

test("when black holes merge, the larger one takes the other in", () => {
  expect(holesOf(livesOf("aabbbc", "aaaaac"))).toEqual(["221110", "111110"]);
});

test("a black hole that exchanges members one by one stays the same although its first token has left", () => {
  expect(holesOf(livesOf("aaabc", "baaac", "bcaaa"))).toEqual(["11100", "01110", "00111"]);
});

test("a black hole that has dissolved is the same one when two of its members meet again", () => {
  expect(holesOf(livesOf("aaabb", "abcdd", "abbdd"))).toEqual(["11122", "00022", "01122"]);
});

test("tokens that meet for the first time make a new black hole", () => {
  expect(holesOf(livesOf("aabb", "abab"))).toEqual(["1122", "1212"]);
  expect(holesOf(livesOf("aaabcd", "aaabbc", "abcddd"))).toEqual(["111000", "111220", "000222"]);
});

test("black holes are numbered by their largest population, and know when they exist", () => {
  const { holes } = livesOf("aabcd", "aabbb", "abccc", "abcde");
  expect(holes).toEqual([
    { largest: 3, first: 1, last: 2 },
    { largest: 2, first: 0, last: 1 },
  ]);
});

test("spans are no more than the changes, however long nothing changes", () => {
  const { from, states } = livesOf(...Array.from({ length: 500 }, (_, step) => (step < 400 ? "aab" : "abc")));
  expect([states, [...from]]).toEqual([500, [0, 400, 0, 400, 0]]);
});

test("rows are in the order of their black holes, in these by exit, and dead ones first among equals", () => {
  const lives = livesOf("aaaabbc", "aaadbbc", "aadebbc", "abcdeef");
  const order = lifeOrder(lives, (row) => row === 5);
  expect(order).toEqual([0, 1, 2, 3, 5, 4, 6]);
});
