import { expect, test } from "vitest";
import { csvOfFigure, pngOfFigure, svgOfFigure } from "../../../src/index.js";
import { madeUpFigure } from "./made-up-figure.js";

test("a program gets a figure as SVG, PNG and CSV", async () => {
  const figure = madeUpFigure([{ mark: "line", series: 0, x: [1, 2], y: [3, 4], curve: "straight" }]);
  expect(await svgOfFigure(figure, { theme: "light" })).toMatch(/^<svg [^>]*>[\s\S]*Made up[\s\S]*<\/svg>\n$/);
  expect([...(await pngOfFigure(figure)).subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
  expect(await csvOfFigure(figure)).toBe("series,mark,x,y\nfirst,line,1,3\nfirst,line,2,4\n");
});
