import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { publicSurface } from "./public-surface.js";

// Written by hand, and changed by hand together with the changelog: a name in it is one that somebody's program has.
const pinned = JSON.parse(readFileSync("tests/contract/pinned.json", "utf8")) as Record<string, unknown>;

const surface = await publicSurface();

test.each(Object.keys(surface))("the pinned %s are as they were", (name) => {
  expect(surface[name]).toEqual(pinned[name]);
});

test("nothing is pinned that is not compared", () => {
  expect(Object.keys(pinned).sort()).toEqual(Object.keys(surface).sort());
});
