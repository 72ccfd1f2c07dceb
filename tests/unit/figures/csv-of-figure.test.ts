import { expect, test } from "vitest";
import { csvOfFigure } from "../../../src/figures/csv-of-figure.js";
import { seriesOf } from "../../../src/figures/panels.js";
import { madeUpFigure } from "./made-up-figure.js";

test("a row a point, with the columns that are used, and no number rounded", () => {
  const figure = madeUpFigure([
    { mark: "line", series: 0, x: [0, 1], y: [0.1 + 0.2, null], curve: "straight" },
    { mark: "band", series: 1, x: [2], low: [-1], high: [1e-30], curve: "straight" },
  ]);
  expect(csvOfFigure(figure)).toBe("series,mark,x,y,low,high\nfirst,line,0,0.30000000000000004,,\nfirst,line,1,,,\nsecond,band,2,,-1,1e-30\n");
});

test("a name with a comma, a quote or a line end is quoted", () => {
  const figure = madeUpFigure([{ mark: "dots", series: 0, x: [1], y: [2], names: ['a,"b"\nc'] }], {}, { series: [seriesOf("", 0)] });
  expect(csvOfFigure(figure)).toBe('mark,x,y,text\ndots,1,2,"a,""b""\nc"\n');
});

test("cells tell their row, their columns and their level", () => {
  const figure = madeUpFigure([{ mark: "cells", names: ["e"], edges: [0, 10, 20], rows: ["10"], levels: [0, 1] }]);
  expect(csvOfFigure(figure)).toBe("mark,x,y,x2,text\ncells,0,e,10,second\ncells,10,e,20,first\n");
});
