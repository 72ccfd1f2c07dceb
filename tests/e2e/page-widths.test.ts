import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { glossary } from "../../src/text/glossary.js";
import { type AskedServer, askedServer } from "../unit/serve/asking.js";
import { writeExperiment, writeSweep } from "../unit/serve/written-experiment.js";
import { writeRun } from "../unit/serve/written-run.js";
import { axeFindings } from "./axe-findings.js";
import { browserProgram, openPage, startBrowser } from "./browser.js";
import { temporaryFolder } from "./program.js";

const folder = temporaryFolder();
let server: AskedServer;
let empty: AskedServer;
let browser: Browser;
/** The address of each view, and what it waits for. */
let views: { name: string; url: string; awaited: string }[];

beforeAll(async () => {
  if (browserProgram === undefined) return;
  for (const seed of [1, 2, 3]) writeRun({ folder: join(folder.path, "runs"), id: `run-${seed}`, name: "a run with a name of some length", seed });
  writeExperiment(join(folder.path, "experiments"));
  writeSweep(join(folder.path, "sweeps"));
  mkdirSync(join(folder.path, "empty"));
  server = await askedServer(...["runs", "experiments", "sweeps"].map((name) => join(folder.path, name)));
  empty = await askedServer(join(folder.path, "empty"));
  browser = await startBrowser();
  const { runs, plans } = await server.shelf();
  const ids = runs.filter(({ name }) => name.startsWith("a run")).map(({ id }) => id);
  const planOf = (wanted: string) => plans.find(({ kind }) => kind === wanted)?.id;
  views = [
    { name: "list", url: "#/runs", awaited: ".runs a" },
    { name: "run", url: `#/run/${ids[0]}`, awaited: ".charts .chart" },
    { name: "overlay", url: `#/overlay?runs=${ids.join(",")}`, awaited: ".chart .legend li" },
    { name: "experiment", url: `#/plan/${planOf("experiment")}`, awaited: ".chart .legend li" },
    { name: "sweep", url: `#/plan/${planOf("sweep")}?brush=P:10:41`, awaited: ".parallel polyline" },
    { name: "try", url: "#/try", awaited: ".live-plot svg" },
  ];
});

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await empty?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Visible texts below 11 pixels, as drawn: an SVG may be scaled. */
const smallTexts = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (text === "" || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || element.closest(".visually-hidden")) continue;
    const { width, height } = element.getBoundingClientRect();
    if (width < 1 || height < 1 || getComputedStyle(element).clipPath !== "none") continue;
    const scale = element instanceof SVGGraphicsElement ? element.getScreenCTM().a : 1;
    const size = Number.parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < 10.99) found.add(size.toFixed(1) + " px: " + text.slice(0, 40));
  }
  return [...found];
})()`;

/** Labels that overlap titles of their chart or figure, and texts of a drawing that overlap each other. */
const overlaps = `(() => {
  const found = [];
  const boxes = (elements) => [...elements].filter((each) => each.checkVisibility() && each.textContent.trim() !== "").map((each) => ({ text: each.textContent.trim().slice(0, 30), box: each.getBoundingClientRect() }));
  const cross = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5;
  const compare = (ones, others) => {
    for (const one of ones) for (const other of others) if (cross(one.box, other.box)) found.push(one.text + " / " + other.text);
  };
  for (const frame of document.querySelectorAll(".chart, .panel, figure")) {
    const titles = boxes(frame.querySelectorAll(":scope > h3, :scope > header h3, :scope > figcaption"));
    compare(titles, boxes(frame.querySelectorAll("svg text, .legend li, .tools button, .u-legend, canvas")));
  }
  for (const svg of document.querySelectorAll("main svg")) {
    const texts = boxes(svg.querySelectorAll("text"));
    texts.forEach((text, at) => compare([text], texts.slice(at + 1)));
  }
  return found;
})()`;

/** Pixels in the colour of live tokens on the canvas of labels, which is printed with the cloud below. */
const drawnOnPaper = `(() => {
  const { width, height } = document.querySelector(".stage canvas.labels");
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(document.querySelector(".stage canvas.labels"), 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return data.filter((value, at) => at % 4 === 2 && data[at + 1] > 200 && value - data[at - 2] > 80).length;
})()`;

/** Whether every figure of the server has come, as wide as the window. */
const hasFigures = `(() => {
  const figures = [...document.querySelectorAll(".served-figure")];
  return figures.length > 0 && figures.every((figure) => figure.querySelector(".drawing:not(.paper-drawing) svg"));
})()`;

/** Whether the replay has drawn a label, in whatever colour. */
const hasLabels = `(() => {
  const canvas = document.querySelector(".stage canvas.labels");
  if (!canvas || canvas.width === 0 || canvas.height === 0) return false;
  const context = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  context.drawImage(canvas, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height).data.some((value, at) => at % 4 === 3 && value > 200);
})()`;

const overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

async function expectReadable(page: Page, view: string): Promise<void> {
  expect({
    view,
    small: await page.evaluate(smallTexts),
    overlaps: await page.evaluate(overlaps),
    overhang: await page.evaluate(overhang),
    axe: await axeFindings(page),
  }).toEqual({ view, small: [], overlaps: [], overhang: 0, axe: [] });
}

const isFull = process.env["FULL_TESTS"] === "1";
const sizes = [390, 800, 1280].flatMap((width) => (["light", "dark"] as const).map((scheme) => ({ width, scheme })));
const isAlways = ({ width, scheme }: (typeof sizes)[number]) => (width === 390 && scheme === "dark") || (width === 800 && scheme === "light");

describe.skipIf(browserProgram === undefined)("the page", () => {
  test.each(sizes.filter((size) => isFull || isAlways(size)))("is readable in every view, $width pixels wide and $scheme", async ({ width, scheme }) => {
    const options = { viewport: { width, height: 900 }, colorScheme: scheme };
    await using opened = await openPage(browser, server.serving.url, options);
    const { page, complaints } = opened;
    for (const { name, url, awaited } of views) {
      await page.goto(`${new URL(server.serving.url).origin}/${url}`);
      await page.locator(awaited).first().waitFor();
      await expectReadable(page, name);
    }
    await using other = await openPage(browser, empty.serving.url, options);
    await other.page.getByText("There is no run here yet").waitFor();
    await expectReadable(other.page, "empty");
    expect([...complaints, ...other.complaints]).toEqual([]);
  });

  test("explains its terms: by a click or a key, until Escape", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    for (const { term, meaning } of glossary) {
      await page.getByRole("contentinfo").getByRole("button", { name: term, exact: true }).focus();
      await page.keyboard.press("Enter");
      await page.getByText(meaning).waitFor();
      expect(await page.evaluate(overhang)).toBe(0);
      await page.keyboard.press("Escape");
      await page.getByText(meaning).waitFor({ state: "hidden" });
    }
    expect(complaints).toEqual([]);
  });

  test("is laid out for paper: light, as wide as paper, without controls", async () => {
    await using opened = await openPage(browser, server.serving.url, { colorScheme: "dark" });
    const { page, complaints } = opened;
    for (const { name, url, awaited } of views.filter((view) => (isFull && view.name !== "list") || view.name === "run" || view.name === "sweep")) {
      await page.goto(`${new URL(server.serving.url).origin}/${url}`);
      await page.locator(awaited).first().waitFor();
      if (name === "run") await expect.poll(() => page.evaluate(hasFigures), { timeout: 20_000 }).toBe(true);
      if (name === "run") await expect.poll(() => page.evaluate(hasLabels), { timeout: 10_000 }).toBe(true);
      const print = `window.dispatchEvent(new Event("afterprint")), window.dispatchEvent(new Event("beforeprint"))`;
      if (name === "run") await expect.poll(() => page.evaluate(`${print}, ${drawnOnPaper}`), { timeout: 10_000 }).toBeGreaterThan(100);
      else await page.evaluate(print);
      await page.waitForFunction(`document.documentElement.dataset.theme === "light"`);
      const over = `[...document.querySelectorAll("canvas, svg, table")].filter((each) => each.checkVisibility()).map((each) => each.getBoundingClientRect().right - document.body.getBoundingClientRect().right).filter((over) => over > 0)`;
      const laidOut = `({ over: ${over}, small: ${smallTexts}, overlaps: ${overlaps} })`;
      await expect.poll(() => page.evaluate(laidOut), { timeout: 20_000, message: name }).toEqual({ over: [], small: [], overlaps: [] });
      const buttons = await page
        .getByRole("button")
        .evaluateAll((found) => found.filter((each) => !each.closest(".holes, .lattice")).map((each) => each.outerHTML));
      expect(buttons, "only those that are names and numbers").toEqual([]);
      await page.evaluate(`window.dispatchEvent(new Event("afterprint"))`);
      expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
    }
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    expect(pdf.match(/\/Type \/Page\b/g)?.length).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  });
});
