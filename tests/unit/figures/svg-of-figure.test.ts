import { inflateSync } from "node:zlib";
import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import type { Mark } from "../../../src/figures/figure.js";
import { axis, seriesOf } from "../../../src/figures/panels.js";
import { pngOfFigure, svgOfFigure } from "../../../src/figures/svg-of-figure.js";
import { madeUpFigure } from "./made-up-figure.js";

const line: Mark = { mark: "line", series: 0, x: [1, 2, 3], y: [1, 10, 100], curve: "straight" };
const other: Mark = { ...line, series: 1, y: [2, 20, 200] };

function drawn(...args: Parameters<typeof madeUpFigure>) {
  return parseHTML(`<html><body>${svgOfFigure(madeUpFigure(...args))}</body></html>`).document;
}

const texts = (document: ReturnType<typeof drawn>) => [...document.querySelectorAll("text")].map(({ textContent }) => textContent ?? "");

test("title, axes with units, caption and the hash of the run are written in it", () => {
  const all = texts(drawn([line])).join("\n");
  for (const text of ["Made up", "training step", "height (m)", "Of nothing.", "a run (0123456789ab)"]) expect(all).toContain(text);
});

test("series differ by colour, dashes and marker, on the lines and in the legend", () => {
  const document = drawn([line, other]);
  for (const series of ["series0", "series1"]) {
    expect(document.querySelectorAll(`g.${series}`).length).toBe(2);
    expect(document.querySelectorAll(`g.${series}-fill path, g.${series}-fill circle`).length).toBeGreaterThan(0);
  }
  const dashes = [...document.querySelectorAll("svg svg g[class^=series][stroke-dasharray]")].map((mark) => mark.getAttribute("stroke-dasharray"));
  expect(dashes).toEqual(["7,4"]);
});

test("one series needs no legend", () => {
  const series = [{ name: "", palette: "series" as const, color: 0, dash: 0, marker: 0 }];
  expect(drawn([line], {}, { series }).querySelector(".legend")).toBeNull();
});

test("what a logarithmic axis has no place for is a gap", () => {
  const zero: Mark = { ...line, x: [1, 2, 3, 4, 5], y: [1, 10, 0, 10, 100] };
  const path = (mark: Mark) => drawn([mark], { y: axis("", null, { scale: "log" }) }).querySelector("svg svg g.series0 path");
  expect(path(line)?.getAttribute("d")?.match(/M/g)).toHaveLength(1);
  expect(path(zero)?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
});

test("a line that jumps in every pixel is faint, and one of as many points that hardly shakes is not", () => {
  const opacity = (shake: number) => {
    const x = Array.from({ length: 1000 }, (_, at) => at);
    const mark: Mark = { ...line, x, y: x.map((at) => at + shake * (at % 2)) };
    return drawn([mark]).querySelector("svg svg g.series0")?.getAttribute("stroke-opacity");
  };
  expect([opacity(100), opacity(2)]).toEqual(["0.7", null]); // a tenth of the span, and a five-hundredth
});

test("of numbers beside dots that would lie on each other, or on a larger dot, that of the larger dot stays, whatever its series", () => {
  const dots = (series: number, x: number, radius: number, label: string): Mark => ({
    mark: "dots",
    series,
    x: [x],
    y: [1],
    radius: [radius],
    labels: [label],
  });
  const axes = { x: axis("", null, { domain: [0, 100] }), y: axis("", null, { domain: [0, 2] }) };
  const labels = (...marks: Mark[]) => texts(drawn(marks, axes)).filter((text) => text.startsWith("n"));
  expect(labels(dots(0, 50, 2, "n2"), dots(1, 50, 9, "n40"))).toEqual(["n40"]);
  expect(labels(dots(0, 48, 2, "n2"), dots(1, 50, 20, "n40"))).toEqual(["n40"]); // its number would lie on the large dot
  expect(labels(dots(0, 20, 2, "n2"), dots(1, 50, 9, "n40"))).toEqual(["n40", "n2"]);
});

test("neighbouring cells of a level are one stroke", () => {
  const document = drawn([{ mark: "cells", names: ["a", "b"], edges: [0, 1, 2, 3], rows: ["001", "010"], levels: [0, 1] }]);
  const strokes = [...document.querySelectorAll("path[shape-rendering]")].map((path) => path.getAttribute("d")?.match(/M/g)?.length);
  expect(strokes).toEqual([3, 2]);
});

test("a name is text, whatever is in it", () => {
  const svg = svgOfFigure(madeUpFigure([line], {}, { title: "<script>alert(1)</script> & </svg>" }));
  expect(svg).not.toContain("<script");
  expect(svg).toContain("&lt;script");
});

/** Bytes of the picture's rows before they are packed. */
function picture(png: Uint8Array): { width: number; height: number; bytes: Buffer } {
  const file = Buffer.from(png);
  const data: Buffer[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") data.push(file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return { width: file.readUInt32BE(16), height: file.readUInt32BE(20), bytes: inflateSync(Buffer.concat(data)) };
}

test("it is twice as large as the figure", () => expect(picture(pngOfFigure(madeUpFigure([line]))).width).toBe(1520));

test("its letters are drawn: without the title there is less ink", () => {
  const ink = (title: string) => {
    const { bytes } = picture(pngOfFigure(madeUpFigure([line], {}, { title, series: [seriesOf("", 0)] })));
    return bytes.reduce((sum, byte) => sum + Number(byte !== 0), 0);
  };
  expect(ink("A long title")).toBeGreaterThan(ink("") + 500);
});

test("control characters and halves of characters in names break neither SVG nor PNG", () => {
  const name = "a\u001b[31m\u0000\ud800\uffffb";
  const figure = {
    ...madeUpFigure([line, { mark: "rule", axis: "x", at: 1, text: name }], { title: name }, { title: name }),
    sources: [{ name, hash: "0123456789abcdef" }],
  };
  expect(svgOfFigure(figure)).not.toMatch(/(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/u);
  expect(svgOfFigure(figure)).toContain("a\\u{1b}[31m\\u{0}\\u{d800}\\u{ffff}b");
  expect(pngOfFigure(figure).subarray(1, 4).toString()).toBe("PNG");
});
