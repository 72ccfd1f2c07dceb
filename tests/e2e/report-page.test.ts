import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { glossary } from "../../src/text/glossary.js";
import { writeRun, writtenLoss } from "../unit/serve/written-run.js";
import { axeFindings } from "./axe-findings.js";
import { browserProgram, openPage, startBrowser } from "./browser.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
const steps = 200;
const shorter = 120;
const [one, two, three] = ["one.html", "two.html", "three.html"].map((name) => join(folder.path, name)) as [string, string, string];
const address = (file: string) => pathToFileURL(file).href;
let browser: Browser;

beforeAll(async () => {
  if (browserProgram === undefined) return;
  const runs = [writeRun({ folder: folder.path, id: "a", steps }), writeRun({ folder: folder.path, id: "b", steps: shorter })];
  const exchanged = [40, 40, 20].map((steps, at) => writeRun({ folder: folder.path, id: `run-${at}`, seed: at, steps }));
  for (const [file, given] of [
    [one, runs.slice(0, 1)],
    [two, runs],
    [three, exchanged],
  ] as const) {
    const { exitCode, stderr } = await run(["report", ...given, "-o", file]);
    expect(exitCode, stderr).toBe(0);
  }
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  folder[Symbol.dispose]();
});

/** The smallest text of figures on the screen, in its pixels. */
const smallestText = (page: Page) =>
  page
    .locator(".drawing text")
    .evaluateAll((texts) =>
      Math.min(...texts.map((text) => Number.parseFloat(getComputedStyle(text).fontSize) * ((text as SVGGraphicsElement).getScreenCTM()?.a ?? 1))),
    );

/** How faint the lines of the first figure are, from back to front. A drawing that is replaced meanwhile has no style: ask again. */
const strokes = (page: Page) =>
  page.locator("figure[data-name=loss] svg[data-panel] .series0 path").evaluateAll((paths) => paths.map((path) => getComputedStyle(path).strokeOpacity));

describe.skipIf(browserProgram === undefined)("a report in a browser", () => {
  test.each([
    { of: "one run", file: one, colorScheme: "light", viewport: { width: 1280, height: 900 } },
    { of: "one run", file: one, colorScheme: "dark", viewport: { width: 360, height: 740 } },
    { of: "two runs", file: two, colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  ] as const)("axe finds nothing: $of, $colorScheme, $viewport.width wide", async ({ of: _, file, ...options }) => {
    await using opened = await openPage(browser, address(file), options);
    const { page, complaints } = opened;
    await page.locator(".replay canvas").first().waitFor();
    for (const summary of await page.locator("summary").all()) await summary.click();
    expect(await axeFindings(page)).toEqual([]);
    await expect.poll(() => smallestText(page)).toBeGreaterThanOrEqual(10.99);
    expect(complaints).toEqual([]);
  });

  test("Smooth takes the smoothed line over the raw one away, and lays it over it again", async () => {
    await using opened = await openPage(browser, address(one));
    const { page } = opened;
    const smooth = page.locator("figure[data-name=loss]").getByRole("button", { name: "Smooth" });
    await expect.poll(() => smooth.getAttribute("aria-pressed")).toBe("true");
    await expect.poll(() => strokes(page)).toEqual(["0.45", "1"]);
    await smooth.click();
    await expect.poll(() => smooth.getAttribute("aria-pressed")).toBe("false");
    await expect.poll(() => strokes(page)).toEqual(["1"]);
    await smooth.click();
    await expect.poll(() => strokes(page)).toEqual(["0.45", "1"]);
  });

  test("keys alone read a figure's values, zoom and go back", async () => {
    await using opened = await openPage(browser, address(one));
    const { page } = opened;
    const drawing = page.getByRole("group", { name: /^Loss: arrow keys/ });
    await drawing.focus();
    await page.keyboard.press("End");
    const value = Number(/: ([\d.]+)$/.exec((await drawing.getByRole("status").textContent()) ?? "")?.[1]);
    expect(value).toBeCloseTo(writtenLoss(steps, 0), 3);
    const ends = () => drawing.locator("svg[data-panel]").evaluate((panel) => [Number(panel.getAttribute("data-x0")), Number(panel.getAttribute("data-x1"))]);
    await page.keyboard.press("+");
    expect(await ends()).toEqual([expect.closeTo(1 + 0.75 * (steps - 1)), steps]);
    await page.keyboard.press("Escape");
    expect(await ends()).toEqual([1, steps]);
  });

  test("the axis of steps is read by the time of training, at the same places", async () => {
    await using opened = await openPage(browser, address(one));
    const { page } = opened;
    const loss = page.locator("figure[data-name=loss] svg[data-panel]");
    const ends = () => loss.evaluate((panel) => [Number(panel.getAttribute("data-x0")), Number(panel.getAttribute("data-x1"))]);
    await page.getByLabel("Horizontal axis").selectOption("time of training");
    // A step of the written run takes a tenth of a second.
    expect(await loss.locator("text").allTextContents()).toEqual(expect.arrayContaining(["time of training (s)", "5", "10", "15", "20"]));
    expect(await ends()).toEqual([1, steps]);
    await page.getByRole("group", { name: /^Loss: arrow keys/ }).press("End");
    expect(await page.locator("figure[data-name=loss] .tip").textContent()).toContain("step 200, epoch 2, 20 s");
    await page.getByLabel("Horizontal axis").selectOption("training step");
    expect(await loss.locator("text").allTextContents()).toEqual(expect.arrayContaining(["training step", "200"]));
  });

  test("the replay opens on the outcome, and a scene of the story moves it and the cursor of every figure", async () => {
    await using opened = await openPage(browser, address(one));
    const { page } = opened;
    const said = page.locator(".replay output");
    await expect.poll(() => said.textContent()).toContain(`step ${steps}: C = 1, P = 8`);
    await page.getByRole("listitem").filter({ hasText: "Start" }).getByRole("button", { name: "Show step 0" }).click();
    await expect.poll(() => said.textContent()).toBe("step 0: C = 0, P = 0, 128 distinct");
    expect(await page.locator("figure[data-name=verdict] .cursor").count()).toBe(1);
  });

  test("a term is explained by keyboard, and also without the script", async () => {
    await using opened = await openPage(browser, address(one), { javaScriptEnabled: false });
    const { page } = opened;
    await page.getByRole("button", { name: "lattice cell" }).press("Enter");
    expect(await page.locator("#term-cell").isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.locator("#term-cell").isVisible()).toBe(false);
    expect(await page.locator("#terms dd").count()).toBe(glossary.length);
  });

  test("without the script, a phone has drawings of its width, with readable text, and nothing is scrolled sideways", async () => {
    await using opened = await openPage(browser, address(one), { javaScriptEnabled: false, viewport: { width: 390, height: 800 } });
    const { page } = opened;
    const narrow = page.locator(".drawing.narrow");
    expect(await narrow.count()).toBe(await page.locator("figure[data-figure]").count());
    expect(await page.locator(".drawing:not(.narrow)").evaluateAll((all) => all.filter((each) => each.checkVisibility()).length)).toBe(0);
    expect(await page.locator("html").evaluate((html) => html.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await narrow.evaluateAll((all) => Math.max(...all.map((each) => each.scrollWidth - each.clientWidth)))).toBe(0);
    const sizes = await narrow
      .locator("text")
      .evaluateAll((texts) => texts.map((text) => Number.parseFloat(getComputedStyle(text).fontSize) * ((text as SVGGraphicsElement).getScreenCTM()?.a ?? 0)));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(10.9);
    // Panels that are embedded once: each is drawn here, at least as large as there.
    const used = await narrow
      .locator("use")
      .evaluateAll((uses) => uses.map((use) => ({ scale: (use as SVGGraphicsElement).getScreenCTM()?.a ?? 0, tall: use.getBoundingClientRect().height })));
    expect(used.length).toBeGreaterThan(5);
    expect(Math.min(...used.map(({ scale }) => scale))).toBeGreaterThan(0.99);
    expect(Math.min(...used.map(({ tall }) => tall))).toBeGreaterThan(100);
  });

  test("two runs are replayed next to each other with one scrubber, and a token is followed in both", async () => {
    await using opened = await openPage(browser, address(two));
    const { page } = opened;
    const replay = page.locator(".replay");
    const said = replay.locator("output");
    await expect
      .poll(() => said.allTextContents())
      .toEqual([expect.stringContaining("step 200: C = 1, P = 8"), expect.stringContaining("step 120: C = 1, P = 8")]);
    expect(await replay.locator("strong").allTextContents()).toEqual(["a · max_steps 200", "b · max_steps 120"]);
    await replay.getByRole("slider").press("Home");
    await expect.poll(() => said.allTextContents()).toEqual(["step 0: C = 0, P = 0, 128 distinct", "step 0: C = 0, P = 0, 128 distinct"]);
    // The color of what is followed, over each cloud.
    const marked = (): Promise<number[]> =>
      page.evaluate(`[...document.querySelectorAll(".replay canvas.labels")].map((canvas) => {
        const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(getComputedStyle(canvas).getPropertyValue("--followed").trim().slice(at, at + 2), 16));
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, at) => at % 4 === 0 && value === red && data[at + 1] === green && data[at + 2] === blue).length;
      })`);
    expect(await marked()).toEqual([0, 0]);
    await replay.getByLabel("Token to follow").fill("A");
    await page.keyboard.press("Enter");
    await expect.poll(async () => Math.min(...(await marked()))).toBeGreaterThan(20);
    await replay.getByRole("button", { name: "Let go" }).click();
    await expect.poll(marked).toEqual([0, 0]);
  });

  test("when a run of a pair is exchanged, the difference of P is that of the runs that are shown", async () => {
    await using opened = await openPage(browser, address(three));
    const { page, complaints } = opened;
    const difference = page.locator("figure[data-name=difference-of-P]");
    const read = async () => {
      await difference.getByRole("group").focus();
      await page.keyboard.press("End");
      return difference.locator(".tip").textContent();
    };
    await page.locator(".replay canvas").first().waitFor();
    expect(await difference.locator("figcaption").textContent()).toMatch(/A: run-0 .* B: run-1 /);
    expect(await read()).toBe("step 40\nA − B: 0");
    await page.getByLabel("Run on the right").selectOption("2");
    await expect.poll(() => difference.locator("figcaption").textContent()).toMatch(/A: run-0 .* B: run-2 /);
    expect(await read()).toBe("step 20\nA − B: -8"); // the 8 dead rows fall after half of the steps
    expect(complaints).toEqual([]);
  });

  test("on paper all sections are open, dark ink is on white, and what needs a hand is gone", async () => {
    await using opened = await openPage(browser, address(one), { colorScheme: "dark" });
    const { page } = opened;
    await page.locator(".replay canvas").first().waitFor();
    const drawings = () => page.locator("figure[data-name=distributions] .drawing > svg").count();
    expect(await drawings()).toBe(1);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await drawings(), "one drawing per row of panels, so that a page can end between them").toBeGreaterThan(1);
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("details:not([open])").count()).toBe(0);
    for (const hidden of ["nav", ".tools", ".replay", ".story button", "footer button"])
      expect(await page.locator(hidden).first().isVisible(), hidden).toBe(false);
    const colours = () =>
      page.locator("figure[data-name=loss] svg.figure").evaluate((svg) => [getComputedStyle(svg).color, getComputedStyle(document.body).backgroundColor]);
    expect(await colours()).toEqual(["rgb(31, 35, 40)", "rgb(255, 255, 255)"]);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await page.locator("details[open]").count()).toBe(0);
    expect(await drawings()).toBe(1);
  });
});
