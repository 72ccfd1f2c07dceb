import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  expect(readdirSync(folder).sort()).toEqual([...files, "figures.json", "draw_figures.py", "MANIFEST.json"].sort());
});

const figures = [madeUpFigure([])];

test.each([
  ["mine.txt", (folder: string) => writeFileSync(join(folder, "mine.txt"), ""), /holds mine\.txt and no MANIFEST\.json of a report/],
  ["a figures.json of somebody else", (folder: string) => writeFileSync(join(folder, "figures.json"), '{"mine": 1}'), /holds figures\.json and no MANIFEST/],
  [
    "a manifest of somebody else",
    (folder: string) => writeFileSync(join(folder, "MANIFEST.json"), '{"format": 1, "files": {}}'),
    /holds MANIFEST\.json and no/,
  ],
  ["a figure that was edited", (folder: string) => edit(folder, "made-up.svg"), /holds made-up\.svg, which was changed since a report wrote it/],
  ["data that was edited", (folder: string) => edit(folder, "made-up.csv"), /holds made-up\.csv, which was changed/],
  ["a folder in a figure's place", (folder: string) => inPlaceOf(folder, "made-up.png"), /holds made-up\.png, which was changed/],
])("a folder with %s is left as it is without force", (_, prepare, message) => {
  const folder = temporaryDirectory();
  prepare(folder);
  const before = contentsOf(folder);
  expect(() => writeFigures(folder, figures)).toThrow(expect.objectContaining({ code: "FILE_UNWRITABLE", message: expect.stringMatching(message) }));
  expect(contentsOf(folder)).toEqual(before);
});

test("a file that no report has written is not replaced beside figures that one has written", () => {
  const folder = temporaryDirectory();
  writeFigures(folder, figures);
  writeFileSync(join(folder, "made-up-2.csv"), "mine");
  writeFileSync(join(folder, "notes.txt"), "mine");
  expect(() => writeFigures(folder, [...figures, ...figures])).toThrow(/holds made-up-2\.csv, which no report has written/);
  writeFigures(folder, figures);
  expect([readFileSync(join(folder, "made-up-2.csv"), "utf8"), readFileSync(join(folder, "notes.txt"), "utf8")]).toEqual(["mine", "mine"]);
});

test("with force, files of the same names are replaced and all others stay", () => {
  const folder = temporaryDirectory();
  for (const name of ["figures.json", "made-up.csv", "thesis.tex"]) writeFileSync(join(folder, name), "mine");
  writeFigures(folder, figures, { force: true });
  expect(readFileSync(join(folder, "thesis.tex"), "utf8")).toBe("mine");
  expect(readFileSync(join(folder, "made-up.csv"), "utf8")).not.toBe("mine");
  writeFigures(folder, figures);
});

function edit(folder: string, name: string): void {
  writeFigures(folder, figures);
  appendFileSync(join(folder, name), " ");
}

function inPlaceOf(folder: string, name: string): void {
  writeFigures(folder, figures);
  rmSync(join(folder, name));
  mkdirSync(join(folder, name));
}

function contentsOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { withFileTypes: true }).map((entry) => [entry.name, entry.isFile() ? readFileSync(join(folder, entry.name), "latin1") : "a folder"]),
  );
}
