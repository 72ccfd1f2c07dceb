import { expect, test } from "vitest";
import type { SweepPoint } from "../../../../src/sweep/grammar/expand-sweep.js";
import { pointFrom } from "../../../../src/sweep/grammar/point-from.js";

const placeOf: SweepPoint["placeOf"] = () => "grid";
const setOf = (set: SweepPoint["set"]) => pointFrom({ set, placeOf }, "/sweeps/mine");

test("relative paths start at the folder, absolute ones stay, and so does everything else", () => {
  const set = { "data.corpus": "texts/a.txt", "training.max_steps": 5, name: "texts/a.txt" };
  expect(setOf(set)).toEqual({ set: { ...set, "data.corpus": "/sweeps/mine/texts/a.txt" }, placeOf });
  expect(setOf({ "data.corpus": "/a.txt" }).set).toEqual({ "data.corpus": "/a.txt" });
});

test("a path that is not given stays so", () => expect(setOf({ "data.corpus": null }).set).toEqual({ "data.corpus": null }));
