import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeFigures } from "../../../src/report/write-figures.js";
import { madeUpFigure } from "../figures/made-up-figure.js";
import { temporaryDirectory } from "../formats/reference-python.js";

test("figures of one name get files of their own, and are written again over figures", () => {
  const folder = join(temporaryDirectory(), "figures");
  const write = () => writeFigures(folder, [madeUpFigure([]), madeUpFigure([])]).flatMap(({ files }) => files);
  const files = ["made-up", "made-up-2"].flatMap((name) => ["svg", "png", "csv", "json"].map((kind) => `${name}.${kind}`));
  expect(write()).toEqual(files);
  expect(write()).toEqual(files);
  expect(readdirSync(folder).sort()).toEqual([...files, "figures.json", "draw_figures.py"].sort());
});

test("a folder with other things is left as it is", () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, "mine.txt"), "");
  expect(() => writeFigures(folder, [madeUpFigure([])])).toThrow("holds other things than figures");
  expect(readdirSync(folder)).toEqual(["mine.txt"]);
});
