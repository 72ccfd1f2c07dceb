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

test("pies have a row per slice with its size, and stacked bars their starts and ends", () => {
  const pies = madeUpFigure([{ mark: "pies", x: [1], y: [2], radius: [9], slices: [0, 1], values: [[3, 4]], names: ["a b"] }]);
  expect(csvOfFigure(pies)).toBe("series,mark,x,y,count,text\nfirst,pies,1,2,3,a b\nsecond,pies,1,2,4,a b\n");
  const bars = madeUpFigure([{ mark: "bars", series: 0, names: ["live", "dead"], from: [0.25, 0], values: [1, 0.5], notes: ["75 %", ""] }]);
  expect(csvOfFigure(bars)).toBe("series,mark,x,y,x2,text\nfirst,bars,0.25,live,1,75 %\nfirst,bars,0,dead,0.5,\n");
});
