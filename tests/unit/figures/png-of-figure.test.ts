import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Mark } from "../../../src/figures/figure.js";
import { pngOfFigure } from "../../../src/figures/png-of-figure.js";
import { seriesOf } from "../../../src/figures/styled-series.js";
import { svgOfFigure } from "../../../src/figures/svg-of-figure.js";
import { madeUpFigure } from "./made-up-figure.js";

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

const line: Mark = { mark: "line", series: 0, x: [1, 2, 3], y: [1, 10, 100], curve: "straight" };

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
