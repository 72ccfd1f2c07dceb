import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { mixedCorpus } from "../../../src/bridge/corpus.js";
import type { CorpusFacts } from "../../../src/runs/run-manifest.js";

/** A text of four possible tokens. */
function text(name: string, windows: number, deadTokens: number[]): CorpusFacts {
  const tokens = windows + 10;
  const sizes = { bytes: tokens + 2, characters: tokens + 1, filtered: 1, tokens, windows };
  return { path: `/texts/${name}`, sha256: `sha of ${name}`, ...sizes, distinct: 4 - deadTokens.length, dead: deadTokens.length, deadTokens };
}

test("what is counted in each text is added up; a token is dead that is dead in all, and the hash is of hashes and windows", () => {
  const a = text("a", 100, [0, 2, 3]);
  const b = text("b", 300, [1, 2]);
  expect(
    mixedCorpus([
      { facts: a, weight: 3 },
      { facts: b, weight: 1 },
    ]),
  ).toEqual({
    path: "/texts/a + /texts/b",
    sha256: createHash("sha256").update("sha of a 300\nsha of b 100\n").digest("hex"),
    bytes: 424,
    characters: 422,
    filtered: 2,
    tokens: 420,
    windows: 400, // of which a gives three quarters, though it has a quarter
    distinct: 3,
    dead: 1,
    deadTokens: [2],
    files: [
      { path: "/texts/a", sha256: "sha of a", bytes: 112, tokens: 110, weight: 3, windows: 300 },
      { path: "/texts/b", sha256: "sha of b", bytes: 312, tokens: 310, weight: 1, windows: 100 },
    ],
  });
});

test("the windows add up, each within one of its share, whatever the weights are", () => {
  const weights = [0.1, 0.7, 1e-2, 3, 1 / 3, 0.2];
  const facts = mixedCorpus(weights.map((weight, place) => ({ facts: text(`${place}`, 1000 + place, []), weight })));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  expect(facts.files?.reduce((total, { windows }) => total + windows, 0)).toBe(6015);
  for (const [place, weight] of weights.entries()) {
    expect(Math.abs((facts.files?.[place]?.windows ?? 0) - (6015 * weight) / sum)).toBeLessThanOrEqual(1);
  }
});

test("a weight that gives a text no window is refused, with the text", () => {
  const texts = [
    { facts: text("a", 100, []), weight: 1e-9 },
    { facts: text("b", 100, []), weight: 1 },
  ];
  expect(() => mixedCorpus(texts)).toThrow(
    expect.objectContaining({
      code: "CONFIG_INVALID",
      issues: [{ path: "data.corpus", message: "the weight of /texts/a, 1e-9, gives it none of 200 windows: use a larger weight, or remove the text" }],
    }),
  );
});
