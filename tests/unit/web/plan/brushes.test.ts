import { expect, test } from "vitest";
import { brushBetween, brushText, isWithin, readBrushes, withBrush } from "../../../../web/src/plan/brushes.js";
import { bestOf, type SweptRow, scaleOf } from "../../../../web/src/plan/swept-row.js";

const rows: SweptRow[] = [
  { id: "a", run: null, name: "", values: { lr: 1e-4, norm: "layer", P: 3 } },
  { id: "b", run: null, name: "", values: { lr: 1e-3, norm: "rms: a, b", P: 7 } },
  { id: "c", run: null, name: "", values: { lr: 1e-2, norm: "layer", P: 3 } },
];
const scales = ["lr", "norm", "P"].map((name) => scaleOf(rows, name));
const chosen = (text: string) => rows.filter((row) => isWithin(row, readBrushes(text), scales)).map(({ id }) => id);

test("several brushes leave the trials that lie in all of them, ends included; unknown axes have no effect", () => {
  expect(chosen("")).toEqual(["a", "b", "c"]);
  expect(chosen("lr:0.0001:0.001")).toEqual(["a", "b"]);
  expect(chosen("lr:0.0001:0.001,norm:layer:layer")).toEqual(["a"]);
  expect(chosen("lr:0.5:0.6")).toEqual([]);
  expect(chosen("depth:1:2")).toEqual(["a", "b", "c"]);
  expect(chosen("lr")).toEqual(["a", "b", "c"]);
});

test("brushes survive the address, also with names and words that contain its signs", () => {
  const brushes = withBrush(readBrushes("lr:0.0001:0.001"), "norm", { low: "rms: a, b", high: "rms: a, b" });
  expect(chosen(brushText(brushes))).toEqual(["b"]);
  expect(brushText(withBrush(withBrush(brushes, "norm", null), "lr", null))).toBe("");
});

test("a brush on an axis with few values takes those between its ends, and one between two values takes none", () => {
  const [lr] = scales;
  if (!lr) throw new Error("no axis");
  expect(brushBetween(lr, 0.9, 0.6)).toBeNull(); // on the logarithmic axis, the values lie at 0, 0.5 and 1
  expect(brushBetween(lr, 0.52, -0.2)).toEqual({ low: 1e-4, high: 1e-3 });
});

test("the best trials are all that share the lowest or the highest value", () => {
  expect(bestOf(rows, "P", "lowest").rows.map(({ id }) => id)).toEqual(["a", "c"]);
  expect(bestOf(rows, "P", "highest")).toMatchObject({ value: 7, rows: [{ id: "b" }] });
  expect(bestOf(rows, "loss", "lowest")).toEqual({ rows: [], value: undefined });
});
