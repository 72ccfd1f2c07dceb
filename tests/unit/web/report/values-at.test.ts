import { inflateRawSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { csvOfFigure } from "../../../../src/figures/csv-of-figure.js";
import type { Figure } from "../../../../src/figures/figure.js";
import { stepLabel } from "../../../../src/figures/panels.js";
import { type ExactLines, htmlOfPage } from "../../../../src/report/html-of-page.js";
import { drawn, section } from "../../../../src/report/page.js";
import { makeReport } from "../../../../src/report/report-page.js";
import type { Place } from "../../../../web/report/place.js";
import { completeFigures } from "../../../../web/report/unpacked.js";
import { valuesAt } from "../../../../web/report/values-at.js";
import { madeUpFigure } from "../../figures/made-up-figure.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";

const steps = 2000;

/** Evenly distributed, always the same. */
function* random(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    yield state / 2 ** 32;
  }
}

async function figuresIn(html: string): Promise<Figure[]> {
  const packed = /<script type="text\/plain" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
  const data = JSON.parse(inflateRawSync(Buffer.from(packed, "base64")).toString("utf8")) as { figures: Figure[]; exact: ExactLines };
  return await completeFigures(data.figures, data.exact);
}

function placeIn(figure: Figure, panel: number, x: number, py = 0.5): Place {
  const found = figure.panels[panel];
  if (!found) throw new Error(`there is no panel ${panel}`);
  return { svg: null as never, panel: found, px: 0, py, x, top: 0, bottom: 1 };
}

const fieldsOf = (line: string) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain = ""]) => quoted ?? plain);

/** The values of lines and the heights of areas in the CSV of a figure, by panel, series and step. */
function csvOf(whole: Figure): Map<string, number> {
  const [head = [], ...rows] = csvOfFigure(whole).trim().split("\n").map(fieldsOf);
  const field = (row: readonly string[], name: string) => row[head.indexOf(name)] ?? "";
  return new Map(
    rows.flatMap((row) => {
      const key = `${field(row, "panel")}|${field(row, "series")}|${field(row, "x")}`;
      if (field(row, "mark") === "line") return [[key, Number(field(row, "y"))] as const];
      return field(row, "mark") === "band" ? [[key, Number(field(row, "high")) - Number(field(row, "low"))] as const] : [];
    }),
  );
}

describe("a run of 2,000 steps", () => {
  let whole: readonly Figure[];
  let embedded: readonly Figure[];

  beforeAll(async () => {
    const { page, figures } = await makeReport({ kind: "runs", runs: [writeRun({ folder: temporaryDirectory(), id: "a", steps })] });
    whole = figures.flatMap((each) => ("figure" in each ? [each.figure] : []));
    embedded = await figuresIn(htmlOfPage(page, "0"));
  });

  test.each(["verdict", "loss", "black-holes", "displacement", "shares"])(
    "every read-out of %s at 200 positions is the value of the CSV at the step it names",
    (name) => {
      const own = embedded.find((each) => each.name === name) as Figure;
      const csv = csvOf(whole.find((each) => each.name === name) as Figure);
      for (const [panel, { title, x, marks }] of own.panels.entries()) {
        const generator = random(panel + 1);
        if (x.label !== stepLabel) continue;
        const recorded = new Set(marks.flatMap((mark) => ((mark.mark === "line" && !mark.thin) || (mark.mark === "band" && mark.solid) ? [...mark.x] : [])));
        for (let trial = 0; trial < 200 / own.panels.length; trial++) {
          const at = generator.next().value * steps;
          const { x: step, lines } = valuesAt(own, placeIn(own, panel, at));
          if (recorded.has(Math.round(at))) expect(step).toBe(Math.round(at));
          expect(lines[0]).toBe(`step ${step.toLocaleString("en")}`);
          for (const line of lines.slice(1)) {
            const [, series = "", value = "", other = String(step)] = /^(.*): ([^ ]+)(?: \(step ([\d,]+)\))?$/.exec(line) ?? [];
            const key = `${title}|${series === own.panels[panel]?.y.label ? "" : series}|${other.replaceAll(",", "")}`;
            expect(Number(value.replaceAll(",", "")), `${key}: ${line}`).toBe(Number((csv.get(key) ?? Number.NaN).toPrecision(6)));
          }
        }
      }
    },
  );

  test("the file of a figure has every step of the run", () => {
    const loss = embedded.find(({ name }) => name === "loss")?.panels[0]?.marks[0];
    expect(loss?.mark === "line" && loss.x.length).toBe(steps);
  });
});

describe("a report of a made-up figure", () => {
  const cells = madeUpFigure([{ mark: "cells", names: ["a", "b"], edges: [0, 5, 10], rows: ["01", "10"], levels: [0, 1] }]);

  test("a cell names its own range of steps, row and level", () => {
    expect(valuesAt(cells, placeIn(cells, 0, 4.9, 0.1)).lines).toEqual(["steps 0 to 5", "token “a”: first"]);
    expect(valuesAt(cells, placeIn(cells, 0, 5.1, 0.1)).lines).toEqual(["steps 5 to 10", "token “a”: second"]);
    expect(valuesAt(cells, placeIn(cells, 0, 9.9, 0.9)).lines).toEqual(["steps 5 to 10", "token “b”: first"]);
  });

  test("a value of another step is shown with that step", () => {
    const sparse = madeUpFigure([
      { mark: "line", series: 0, x: [0, 1, 2, 3, 4], y: [9, 8, 7, 6, 5], curve: "straight" },
      { mark: "line", series: 1, x: [0, 4], y: [1, 2], curve: "step" },
    ]);
    expect(valuesAt(sparse, placeIn(sparse, 0, 2.9)).lines).toEqual(["step 3", "first: 6", "second: 1 (step 0)"]);
  });

  test("a stacked area shows its own height, not its edges", () => {
    const area = (series: number, low: number[], high: number[]) => ({
      mark: "band" as const,
      series,
      x: [0, 1, 5],
      low,
      high,
      curve: "step" as const,
      solid: true,
    });
    const stacked = madeUpFigure([area(0, [0, 0, 0], [51, 51, 50]), area(1, [51, 51, 50], [128, 120, 128])]);
    expect(valuesAt(stacked, placeIn(stacked, 0, 1.2)).lines).toEqual(["step 1", "first: 51", "second: 69"]);
    expect(valuesAt(stacked, placeIn(stacked, 0, 5)).lines).toEqual(["step 5", "first: 50", "second: 78"]);
  });

  test("a line that never rests and is too long for the file shows only recorded steps", async () => {
    const count = 250_000;
    const generator = random(7);
    const x = Array.from({ length: count }, (_, step) => step);
    const y = x.map(() => generator.next().value);
    const long = madeUpFigure([{ mark: "line", series: 0, x, y, curve: "straight" }]);
    const page = { title: "long", verdict: null, summary: [], sections: [section("Figures", ...drawn([{ figure: long }]))], data: {} };
    const [shown] = await figuresIn(htmlOfPage(page, "0"));
    if (!shown) throw new Error("the report has no figure");
    for (let trial = 0; trial < 200; trial++) {
      const { x: step, lines } = valuesAt(shown, placeIn(shown, 0, generator.next().value * count));
      expect(lines).toEqual([`step ${step.toLocaleString("en")}`, expect.any(String)]);
      expect(Number(lines[1]?.slice("first: ".length))).toBe(Number((y[step] ?? 0).toPrecision(6)));
    }
  });

  test("numbers of every size, gaps and whole numbers are embedded to six digits", async () => {
    const values = [0, null, 1, -1, 1e-300, -3.141592653e-30, 2.5e300, 123_456_789.123, 0.1, 1 / 3, null, -0.000_123_456_7];
    const counts = [0, 2 ** 31 - 1, -(2 ** 31) + 1, null, 7];
    const lines = [values, counts].map((own) => Array.from({ length: 12_012 }, (_, at) => own[at % own.length] ?? null));
    const x = lines[0]?.map((_, at) => at) ?? [];
    const figure = madeUpFigure(lines.map((y, series) => ({ mark: "line" as const, series, x, y, curve: "straight" as const })));
    const page = { title: "long", verdict: null, summary: [], sections: [section("Figures", ...drawn([{ figure }]))], data: {} };
    const marks = (await figuresIn(htmlOfPage(page, "0")))[0]?.panels[0]?.marks ?? [];
    const rounded = (value: number | null) => (value === null || Number.isInteger(value) ? value : Number(value.toPrecision(6)));
    const [first, second] = marks.map((mark) => (mark.mark === "line" ? JSON.stringify(mark.y) : ""));
    expect(first).toBe(JSON.stringify(lines[0]?.map(rounded)));
    expect(second).toBe(JSON.stringify(lines[1]));
  });
});
