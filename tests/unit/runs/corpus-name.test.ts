import { expect, test } from "vitest";
import { corpusName } from "../../../src/runs/corpus-name.js";

test("one text has the name of its file", () => {
  expect(corpusName({ path: "/texts/a.txt", windows: 7 })).toBe("a.txt");
});

test("several have theirs, with their shares", () => {
  const file = { sha256: "", bytes: 1, tokens: 1, weight: 1 };
  const files = [
    { ...file, path: "/texts/a.txt", windows: 2 },
    { ...file, path: "/others/b.txt", windows: 1 },
  ];
  expect(corpusName({ path: "/texts/a.txt + /others/b.txt", files, windows: 3 })).toBe("a.txt (66.7 %), b.txt (33.3 %)");
});
