import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readExperiment } from "../../src/report/report-page.js";
import { Ledger } from "../../src/sweep/ledger.js";
import { type AskedServer, askedServer } from "../unit/serve/asking.js";
import { writeExperiment, writeSweep } from "../unit/serve/written-experiment.js";
import { deadRows, stretchHistory, writeRun, writtenLoss } from "../unit/serve/written-run.js";
import { sweepTrial } from "../unit/sweep/sweep-trial.js";
import { axeFindings } from "./axe-findings.js";
import { browserProgram, openPage, startBrowser } from "./browser.js";
import { eventually, start, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
const evil = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>';
let server: AskedServer;
let browser: Browser;

beforeAll(async () => {
  if (browserProgram === undefined) return;
  writeRun({ folder: folder.path, id: "a", name: "first", seed: 1 });
  writeRun({ folder: folder.path, id: "b", name: "second", seed: 2, status: "stopped" });
  writeRun({ folder: folder.path, id: "c", name: evil, seed: 3 });
  server = await askedServer(folder.path);
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** What a browser does when a folder is dropped, but for the hand that drops it. */
function dropFolder({ name, files }: { name: string; files: { name: string; bytes: string }[] }): void {
  const entryOf = (file: { name: string; bytes: string }) => ({
    name: file.name,
    isDirectory: false,
    file: (take: (made: File) => void) => take(new File([Uint8Array.from(atob(file.bytes), (letter) => letter.charCodeAt(0))], file.name)),
  });
  const batches = [files.slice(0, 2), files.slice(2), []].map((batch) => batch.map(entryOf));
  const folder = { name, isDirectory: true, createReader: () => ({ readEntries: (take: (entries: unknown) => void) => take(batches.shift()) }) };
  const event = new Event("drop", { cancelable: true });
  Object.assign(event, { dataTransfer: { types: ["Files"], items: [{ webkitGetAsEntry: () => folder, getAsFile: () => null }] } });
  window.dispatchEvent(event);
}

/** Plays the only film of a page: its length and size, and how many different pictures are seen at the middles of its frames. */
const playedFilm = `async () => {
  const film = document.querySelector("video");
  if (film.readyState < 2) await new Promise((resolve) => film.addEventListener("loadeddata", resolve));
  const context = new OffscreenCanvas(film.videoWidth, film.videoHeight).getContext("2d", { willReadFrequently: true });
  const pictures = new Set();
  for (let ms = 50; ms < 1000 * film.duration; ms += 100) {
    const isPresented = new Promise((resolve) => film.requestVideoFrameCallback(resolve));
    if (ms > 50) film.currentTime = ms / 1000;
    if (ms > 50) await isPresented;
    context.drawImage(film, 0, 0);
    pictures.add(String(context.getImageData(0, 0, 120, 34).data)); // where the step is written
  }
  return { duration: film.duration, width: film.videoWidth, height: film.videoHeight, pictures: pictures.size };
}`;

/** Decodes a GIF by the browser: its size, its different pictures and the durations of its frames. */
const decodedGif = `async (base64) => {
  const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const decoder = new ImageDecoder({ data, type: "image/gif" });
  await decoder.tracks.ready;
  await decoder.completed;
  const { frameCount } = decoder.tracks.selectedTrack;
  const pictures = new Set();
  const ms = new Set();
  let size = {};
  for (let frameIndex = 0; frameIndex < frameCount; frameIndex++) {
    const { image } = await decoder.decode({ frameIndex });
    size = { width: image.displayWidth, height: image.displayHeight };
    const context = new OffscreenCanvas(size.width, size.height).getContext("2d");
    context.drawImage(image, 0, 0);
    pictures.add(String(context.getImageData(0, 0, 120, 34).data));
    ms.add(image.duration / 1000);
  }
  return { ...size, pictures: pictures.size, ms: [...ms] };
}`;

/** Width and height stand in the first chunk of a PNG. */
function pngSize(png: Buffer): { width: number; height: number } {
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}

/** Open the page of a run of the list. */
async function openRun(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name, exact: true }).click();
  await page.locator(".charts .chart").first().waitFor();
  await page.getByTestId("P").waitFor();
}

/** Sum of the layout shifts since the page was loaded, without those that follow an input. */
function layoutShift(page: Page): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput } of list.getEntries()) sum += hadRecentInput ? 0 : value;
    }).observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
  })`);
}

const text = (page: Page, id: string) => page.getByTestId(id).innerText();

describe.skipIf(browserProgram === undefined)("in a browser", () => {
  test("the list shows names as text, is searched, filtered and sorted, and its address keeps that", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await page.getByRole("link", { name: "first" }).waitFor();
    expect(page.url()).not.toContain("token");
    expect(await page.getByRole("link", { name: evil }).innerText()).toBe(evil);
    expect(await page.evaluate("window.harmed")).toBeUndefined();
    await page.getByRole("button", { name: "Seed" }).click();
    await expect.poll(async () => (await page.locator("td.name a").allInnerTexts())[0]).toBe(evil);
    await page.getByLabel("Search").fill("sec");
    await expect.poll(() => page.locator("td.name a").allInnerTexts()).toEqual(["second"]);
    await page.getByLabel("Search").fill("");
    await page.getByLabel("Conditions").fill("seed<3 status:completed");
    await page.getByLabel("Conditions").press("Enter");
    await expect.poll(() => page.locator("td.name a").allInnerTexts()).toEqual(["first"]);
    await page.reload();
    await expect.poll(() => page.locator("td.name a").allInnerTexts()).toEqual(["first"]);
    await page.getByLabel("Conditions").fill("sedd:1");
    await page.getByLabel("Conditions").press("Enter");
    await page.getByRole("alert").getByText("seed").waitFor();
    expect(complaints.filter((complaint) => !complaint.includes("400"))).toEqual([]);
  });

  test("a zip is opened by the button, a zip and a folder by a drop, and what is none is told", async () => {
    const sent = join(folder.path, "elsewhere");
    const run = writeRun({ folder: sent, id: "sent", name: "sent by a colleague", seed: 4 });
    const archive = join(sent, "sent.zip");
    execFileSync("python3", ["-m", "zipfile", "-c", archive, run]);
    await using own = await askedServer(join(folder.path, "none"));
    await using opened = await openPage(browser, own.serving.url);
    const { page, complaints } = opened;
    await page.getByLabel("Open zip").setInputFiles(archive);
    await page.getByRole("heading", { name: "sent by a colleague" }).waitFor();
    await page.getByRole("link", { name: "bh-bridge" }).click();
    await page.getByText("from sent.zip").waitFor();
    const files = ["run.json", "config.json", "events.jsonl", "history.safetensors"].map((name) => [name, readFileSync(join(run, name)).toString("base64")]);
    await page.evaluate(dropFolder, { name: "of another", files: files.map(([name = "", bytes = ""]) => ({ name, bytes })) });
    await page.getByRole("heading", { name: "sent by a colleague" }).waitFor();
    await page.getByRole("link", { name: "bh-bridge" }).click();
    await page.getByText("from of another.zip").waitFor();
    expect(complaints).toEqual([]);
    await page.getByLabel("Open zip").setInputFiles({ name: "words.zip", mimeType: "application/zip", buffer: Buffer.from("words") });
    await page.getByText("must end with its directory").waitFor();
  });

  test("scrubbing shows the exact state: black holes appear where the run has them, charts and scrubber have one cursor", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    await expect.poll(() => text(page, "step")).toBe("60");
    await expect.poll(() => text(page, "P")).toBe(String(deadRows.length));
    const scrubber = page.getByRole("slider", { name: "Step", exact: true });
    await scrubber.fill("30");
    await expect.poll(() => text(page, "step")).toBe("30");
    await expect.poll(() => text(page, "P")).toBe("0");
    const picture = await page.locator(".stage canvas").first().screenshot();
    await scrubber.press("ArrowRight");
    await expect.poll(() => text(page, "step")).toBe("31");
    await expect.poll(() => text(page, "P")).toBe(String(deadRows.length));
    expect((await page.locator(".stage canvas").first().screenshot()).equals(picture)).toBe(false);
    const holes = page.getByRole("slider", { name: /^Black holes/ });
    expect(await holes.getAttribute("aria-valuenow")).toBe("31");
    await holes.press("ArrowLeft");
    await expect.poll(() => text(page, "step")).toBe("30");
    const box = await page.getByRole("slider", { name: /^Loss/ }).boundingBox();
    if (!box) throw new Error("no chart");
    await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
    await expect.poll(async () => Number(await text(page, "step"))).toBeGreaterThan(35);
    expect(await scrubber.inputValue()).toBe(await text(page, "step"));
    await expect.poll(() => page.url()).toContain("step=30");
    await page.mouse.move(box.x, box.y - 40); // a preview ends with the pointer
    await expect.poll(() => text(page, "step")).toBe("30");
    await page.mouse.click(box.x + box.width * 0.75, box.y + box.height / 2);
    await page.mouse.move(box.x, box.y - 40);
    await expect.poll(async () => Number(await text(page, "step"))).toBeGreaterThan(35);
    await expect.poll(() => page.url()).toContain(`step=${await text(page, "step")}`);
    expect(complaints).toEqual([]);
  });

  test("a click follows a token, and a reload shows the same step and the same token", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    const canvas = await page.locator(".stage canvas").first().boundingBox();
    if (!canvas) throw new Error("no cloud");
    const followed = page.getByTestId("followed");
    for (let at = 0; at < 400 && !(await followed.isVisible()); at++) {
      await page.mouse.click(canvas.x + canvas.width * (0.2 + 0.03 * (at % 20)), canvas.y + canvas.height * (0.2 + 0.03 * Math.floor(at / 20)));
    }
    expect(await followed.innerText()).toContain("number");
    await page.getByLabel("Token to follow").fill("A");
    await page.getByRole("button", { name: "Follow" }).click();
    await expect.poll(() => followed.innerText()).toContain("A number 65, in the text");
    const field = page.getByRole("combobox", { name: "Token to follow" });
    await field.fill("no such");
    await page.getByText("No such token: no such").waitFor();
    await field.fill("dead");
    await expect.poll(() => page.getByRole("listbox", { name: "Tokens" }).getByRole("option").count()).toBe(deadRows.length);
    await field.press("ArrowDown");
    await field.press("ArrowDown");
    await field.press("Enter");
    await expect.poll(() => followed.innerText()).toContain(`number ${deadRows[1]}, not in the text`);
    await field.fill("65");
    await field.press("Enter");
    await expect.poll(() => followed.innerText()).toContain("A number 65");
    await page.getByRole("slider", { name: "Step", exact: true }).fill("12");
    await expect.poll(() => page.url()).toContain("step=12");
    await page.reload();
    await expect.poll(() => text(page, "step")).toBe("12");
    expect(await followed.innerText()).toContain("A number 65");
    expect(complaints).toEqual([]);
  });

  test("the page scrolls until the stage is active, then the wheel zooms; a link shows the same picture", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    const stage = page.locator(".stage canvas").first();
    const camera = () => new URLSearchParams(page.url().split("?")[1]).get("camera");
    const scrolled = () => page.evaluate<number>("scrollY");
    await stage.hover();
    const start = await scrolled();
    await page.mouse.wheel(0, 100);
    await expect.poll(scrolled).toBe(start + 100);
    expect(camera()).toBe(null);
    await stage.focus();
    await page.mouse.wheel(0, -400);
    await expect.poll(camera).not.toBe(null);
    expect(await scrolled()).toBe(start + 100);
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Shift+ArrowUp");
    await expect.poll(() => camera()?.split("*").length).toBe(5);
    await page.keyboard.press("Escape");
    await page.mouse.wheel(0, 100);
    await expect.poll(scrolled).toBe(start + 200);
    const address = camera();
    await page.evaluate("scrollTo(0, 0)");
    await stage.hover({ position: { x: 200, y: 20 } });
    await stage.blur();
    const picture = await stage.screenshot();
    await page.reload();
    await expect.poll(() => text(page, "P")).toBe(String(deadRows.length));
    await stage.hover({ position: { x: 200, y: 20 } });
    expect((await stage.screenshot()).equals(picture)).toBe(true);
    expect(camera()).toBe(address);
    await page.getByRole("button", { name: "Reset view" }).click();
    await expect.poll(camera).toBe(null);
    await page.keyboard.press("f");
    await expect.poll(camera).not.toBe(null);
    expect(complaints).toEqual([]);
  });

  test("two fingers zoom the active stage by the ratio of their distances, and one moves it; before, they scroll the page", async () => {
    await using opened = await openPage(browser, server.serving.url, { hasTouch: true });
    const { page, complaints } = opened;
    await openRun(page, "first");
    const stage = page.locator(".stage canvas").first();
    await stage.scrollIntoViewIfNeeded();
    const box = await stage.boundingBox();
    if (!box) throw new Error("no stage");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const session = await page.context().newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...across: number[]) =>
      session.send("Input.dispatchTouchEvent", { type, touchPoints: across.map((by, id) => ({ x: x + by, y, id })) });
    const pinch = async () => {
      await touch("touchStart", -40, 40);
      for (const half of [50, 60, 70, 80]) await touch("touchMove", -half, half);
      await touch("touchEnd");
    };
    const camera = () => new URLSearchParams(page.url().split("?")[1]).get("camera");
    await pinch();
    expect(camera()).toBe(null);
    await stage.focus();
    await page.locator(".stage.active").waitFor();
    await pinch();
    await expect.poll(() => Number(camera()?.split("*")[0])).toBeCloseTo(2, 2);
    const [, target] = camera()?.split("*") ?? [];
    await touch("touchStart", 0);
    for (const by of [10, 20, 30]) await touch("touchMove", by);
    await touch("touchEnd");
    await expect.poll(() => camera()?.split("*")[1]).not.toBe(target);
    expect(Number(camera()?.split("*")[0])).toBeCloseTo(2, 2);
    expect(complaints).toEqual([]);
  });

  test("a black hole is opened: its tokens as tiles, and the rows around it", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    await expect.poll(() => page.locator(".tiles li").count()).toBe(deadRows.length);
    await page.getByText(`${deadRows.length} tokens with the same 8 BF16 numbers`).waitFor();
    await page.locator(".lattice button").nth(1).click(); // the nearest row
    await page.getByText("One token, alone").waitFor();
    await expect.poll(() => page.getByTestId("followed").innerText()).toContain("alone");
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "List of keys" }).focus();
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keys" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("the lives of the tokens follow pointer and keys: hover names a token, a click follows it, a drag zooms, arrows go to its changes", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    const life = page.getByTestId("life");
    const canvas = page.locator(".life-plot canvas");
    await canvas.scrollIntoViewIfNeeded();
    const box = await canvas.boundingBox();
    if (!box) throw new Error("no picture");
    // The first eight rows are the tokens 120 to 127, which share a row from step 31 on.
    await page.mouse.move(box.x + box.width / 2, box.y + 3);
    await expect.poll(() => life.innerText()).toBe("“y”, dead · alone from step 0 to 30, black hole 1 from step 31 to 60");
    // Its change is marked in the verdict, and in each of the charts.
    expect(await page.locator(".served-figure .change-line").count()).toBe(1);
    const marked = (): Promise<boolean[]> =>
      page.evaluate(`[...document.querySelectorAll("section.chart .uplot canvas")].map((canvas) => {
        const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(getComputedStyle(canvas).getPropertyValue("--followed").trim().slice(at, at + 2), 16));
        const context = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height }).getContext("2d", { willReadFrequently: true });
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, at) => at % 4 === 0 && value === red && data[at + 1] === green && data[at + 2] === blue);
      })`);
    await expect.poll(marked).not.toContain(false);
    await page.mouse.move(box.x + box.width / 2, box.y - 30);
    await expect.poll(marked).not.toContain(true);
    expect(await page.locator(".change-line").count()).toBe(0);
    await page.mouse.click(box.x + box.width / 2, box.y + 3);
    await expect.poll(() => text(page, "followed")).toContain("y number 121");
    const slider = page.getByRole("slider", { name: /^Token/ });
    await slider.focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => life.innerText()).toContain("“z”, dead");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => text(page, "step")).toBe("31");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain("token=122");
    await page.mouse.move(box.x + box.width * 0.6, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 52, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => page.url()).toMatch(/zoom=1\d-3\d/); // e^(0.6 ln 61) − 1 to e^(0.9 ln 61) − 1
    expect(await page.getByRole("button", { name: "All steps" }).isEnabled()).toBe(true);
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("keys alone: to a run, through its steps, playing and the tour", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await page.getByRole("link", { name: "first", exact: true }).focus();
    await page.keyboard.press("Enter");
    const scrubber = page.getByRole("slider", { name: "Step", exact: true });
    await scrubber.focus();
    await page.keyboard.press("Home");
    await expect.poll(() => text(page, "step")).toBe("0");
    await page.keyboard.press(".");
    await expect.poll(() => text(page, "step")).toBe("1");
    await page.keyboard.press(",");
    await expect.poll(() => text(page, "step")).toBe("0");
    await page.keyboard.press("t");
    expect(await page.getByRole("button", { name: "Tour" }).getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("t");
    await page.keyboard.press("Space");
    await expect.poll(() => text(page, "step"), { timeout: 20_000 }).toBe("60"); // to the end, where it stops
    await page.getByRole("button", { name: "Play" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("a note is written on the page, and one that was changed on disk meanwhile is shown beside it", async () => {
    const own = join(folder.path, "notes");
    const file = join(writeRun({ folder: own, id: "noted", name: "noted" }), "notes.json");
    await using asked = await askedServer(own);
    await using opened = await openPage(browser, asked.serving.url);
    const { page, complaints } = opened;
    const note = () => (JSON.parse(readFileSync(file, "utf8")) as { note: string | null }).note;
    await openRun(page, "noted");
    expect(await page.title()).toBe("degenerate · noted");
    await page.getByRole("button", { name: "Add a note" }).click();
    await page.getByLabel("Note", { exact: true }).fill(evil);
    await page.getByRole("button", { name: "Save note" }).click();
    await page.locator(".note-text", { hasText: "onerror" }).waitFor();
    expect(note()).toBe(evil);
    await page.getByRole("button", { name: "Edit note" }).click();
    writeFileSync(file, JSON.stringify({ note: "by a colleague", tags: ["kept"] }));
    await page.getByLabel("Note", { exact: true }).fill("mine");
    await page.getByRole("button", { name: "Save note" }).click();
    await page.getByRole("alert").getByText("by a colleague").waitFor();
    expect(note()).toBe("by a colleague");
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Replace it by mine" }).click();
    await page.locator(".note-text", { hasText: "mine" }).waitFor();
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ note: "mine", tags: ["kept"] });
    expect(await page.evaluate("window.harmed")).toBeUndefined();
    expect(complaints.filter((complaint) => !complaint.includes("409"))).toEqual([]);
  });

  test("a baseline is in the address: list and run show the differences, and the charts its lines", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await page.getByLabel("Choose first").check();
    await page.getByRole("button", { name: "Set as baseline" }).click();
    const second = page.getByRole("row").filter({ has: page.getByRole("link", { name: "second", exact: true }) });
    await second.getByText("seed 1 → 2").waitFor();
    // The mean losses of the rows are those of the newest steps, as the runs were written without a log.
    const difference = (writtenLoss(60, 2) - writtenLoss(60, 1))
      .toFixed(3)
      .replace("-", "−")
      .replace(/^(?=\d)/, "+");
    expect(await second.locator(".difference").allInnerTexts()).toEqual([difference, "±0", "±0"]);
    await page.reload();
    await second.getByText("seed 1 → 2").waitFor();
    await openRun(page, "second");
    const loss = page.getByRole("slider", { name: /^Loss over steps: .*loss, baseline/ });
    await loss.waitFor();
    await page.getByLabel("Comparison with the baseline").getByText("seed 1 → 2").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Clear baseline" }).click();
    await loss.waitFor({ state: "detached" });
    expect(page.url()).not.toContain("baseline");
    expect(complaints).toEqual([]);
  });

  test("without the token a browser gets a page without serious findings", async () => {
    await using opened = await openPage(browser, new URL("/?token=x", server.serving.url).href);
    const { page } = opened;
    await page.getByRole("heading", { name: "Access refused" }).waitFor();
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(await ground()).toBe("rgb(246, 247, 249)");
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await ground()).toBe("rgb(16, 21, 27)");
    expect(await axeFindings(page, 5)).toEqual([]);
  });

  test("chosen runs are laid over each other, named by what differs", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await page.getByLabel("Choose first").check();
    await page.getByLabel("Choose second").check();
    await page.getByRole("button", { name: "Overlay 2" }).click();
    await expect.poll(() => page.locator(".legend li").allInnerTexts()).toEqual([expect.stringContaining("seed 1"), expect.stringContaining("seed 2")]);
    await page.getByLabel("Line").selectOption("P");
    await expect.poll(async () => (await page.locator(".legend output").allInnerTexts()).join()).toBe("8,8");
    await page.goBack();
    await page.goForward();
    await page.locator(".legend li").first().waitFor();
    expect(complaints).toEqual([]);
  });

  test("two runs of an overlay are replayed together: one scrubber, the same token in both, P of each and its difference", async () => {
    const pairs = join(folder.path, "pairs");
    writeRun({ folder: pairs, id: "long", name: "long", seed: 1, steps: 60 });
    writeRun({ folder: pairs, id: "short", name: "short", seed: 2, steps: 40 });
    writeRun({ folder: pairs, id: "wide", name: "wide", seed: 3, steps: 10, dims: 16 });
    await using own = await askedServer(pairs);
    await using opened = await openPage(browser, own.serving.url);
    const { page, complaints } = opened;
    await page.getByLabel("Choose long").check();
    await page.getByLabel("Choose short").check();
    await page.getByRole("button", { name: "Overlay 2" }).click();
    await page.getByRole("link", { name: "Replay both" }).click();
    const heads = page.locator(".pair .stages h2");
    await expect.poll(async () => (await heads.allInnerTexts()).length).toBe(2);
    const scrubber = page.getByRole("slider", { name: "Step", exact: true });
    expect(await scrubber.getAttribute("max")).toBe("60");
    const order = (await heads.first().innerText()).includes("seed 1") ? ["A", "B"] : ["B", "A"];
    const shownP = () => Promise.all(order.map((letter) => page.getByTestId(`P-${letter}`).innerText()));
    // Each falls once half of its steps are done.
    for (const [step, first, second] of [
      ["20", 0, 0],
      ["21", 0, deadRows.length],
      ["31", deadRows.length, deadRows.length],
    ] as const) {
      await scrubber.fill(step);
      await expect.poll(shownP).toEqual([String(first), String(second)]);
      const difference = page.locator("section.chart", { hasText: "Difference of P" }).locator(".legend output");
      await expect.poll(() => difference.innerText()).toBe(String(order[0] === "A" ? first - second : second - first));
    }
    await expect.poll(() => page.url()).toContain("step=31");
    const addressed = page.url();
    await page.goto(`${addressed}&token=121`);
    await page.reload();
    await page.getByTestId("followed").getByText("in a black hole of 8").waitFor();
    await expect.poll(() => page.getByTestId("followed").innerText()).toMatch(/A: in a black hole of 8; B: in a black hole of 8/);
    await page.keyboard.press("/");
    await page.keyboard.type("A");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain("token=65");
    expect(await page.getByTestId("followed").innerText()).toMatch(/A: alone; B: alone/);
    await page.getByLabel("Token to follow").blur();
    await page.keyboard.press("End");
    await expect.poll(() => page.locator(".pair [data-testid=step]").allInnerTexts()).toEqual(expect.arrayContaining(["60", "40"])); // the shorter stays at its last step
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
    const [a = "", wide = ""] = (await own.shelf()).runs
      .flatMap(({ run, id }) => (run === "short" ? [] : [[run, id]]))
      .sort()
      .map(([, id]) => id ?? "");
    await page.evaluate(`location.hash = "#/pair/${a}/${wide}"`);
    await page.getByRole("alert").getByText("128 tokens × 16 dimensions").waitFor();
  });

  test("Ctrl-K goes by keys alone to a run, a step and a token; a click goes too, and names are text", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await page.getByRole("link", { name: "first", exact: true }).waitFor();
    await page.keyboard.press("Control+k");
    const options = page.locator(".palette").getByRole("option");
    await page.getByRole("combobox", { name: "Name or number" }).pressSequentially("script");
    await expect.poll(() => options.first().innerText()).toContain("<img src=x");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("frst"); // letters in order
    await expect.poll(() => options.first().innerText()).toContain("first");
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "first" }).waitFor();
    await page.getByTestId("P").waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("35");
    await expect.poll(() => options.allInnerTexts()).toEqual([expect.stringContaining("Step 35"), expect.stringMatching(/Token #\s+number 35/)]);
    await page.keyboard.press("Enter");
    await expect.poll(() => text(page, "step")).toBe("35");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("35");
    await expect.poll(() => options.allInnerTexts()).toHaveLength(2);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toMatch(/step=35.*token=35/);
    await expect.poll(() => text(page, "followed")).toContain("number 35");
    await page.getByRole("button", { name: "Go to" }).click();
    await page.keyboard.type("gradient");
    await page.keyboard.press("Escape");
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.getByRole("button", { name: "Go to" }).click();
    await page.keyboard.type("second");
    await options.first().click();
    await page.getByRole("heading", { name: "second", exact: true }).waitFor();
    expect(await page.evaluate("window.harmed")).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  test("Ctrl-K on the page of another program's log does not ask for its snapshots", async () => {
    using logs = temporaryFolder();
    mkdirSync(join(logs.path, "theirs"));
    writeFileSync(join(logs.path, "theirs/trainer_state.json"), JSON.stringify({ log_history: [{ loss: 3.5, step: 1 }] }));
    await using foreign = await askedServer(logs.path);
    await using opened = await openPage(browser, foreign.serving.url);
    const { page } = opened;
    await page.getByRole("link", { name: "theirs" }).click();
    await page.getByText("This is a log of another program").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const answered = page.waitForResponse((response) => /\/api\/runs\/[^/]+$/.test(response.url()));
    await page.keyboard.press("Control+k");
    await page.keyboard.type("theirs");
    await page.locator(".palette").getByRole("option").first().waitFor();
    await (await answered).finished();
    await page.evaluate("new Promise(requestAnimationFrame)");
    expect(asked.filter((path) => path.endsWith("/history"))).toEqual([]);
  });

  test("a replay is saved as WebM and GIF with every chosen step in order, and as PNG, in the chosen size; cancelling saves nothing", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    await page.getByRole("button", { name: "Save …" }).click();
    const dialog = page.getByRole("dialog", { name: "Save the replay" });
    expect(await axeFindings(page)).toEqual([]);
    const saved = async (format: string) => {
      await dialog.getByLabel("Format").selectOption(format);
      const download = page.waitForEvent("download");
      await dialog.getByRole("button", { name: "Save", exact: true }).click();
      const file = await download;
      return { name: file.suggestedFilename(), base64: readFileSync(await file.path()).toString("base64") };
    };
    await dialog.getByLabel("Size").selectOption("640×480");
    await dialog.getByLabel("To step").fill("20");
    await dialog.getByLabel("Every nth recorded step").fill("3");
    await dialog.getByLabel("Frames a second").selectOption("10");
    await dialog.getByText("8 frames, 0.8 s").waitFor(); // 0, 3, …, 18 and 20
    const film = await saved("webm");
    expect(film.name).toBe("first-steps-0-20.webm");
    const gif = await saved("gif");
    const picture = await saved("png");
    expect(picture.name).toBe("first-step-60.png");
    const look = await browser.newPage(); // which may load films, unlike the page
    await look.goto(`data:text/html,<video muted src="data:video/webm;base64,${encodeURIComponent(film.base64)}"></video>`);
    expect(await look.evaluate(`(${playedFilm})()`)).toEqual({ duration: 0.8, width: 640, height: 480, pictures: 8 });
    await look.close();
    expect(await page.evaluate(`(${decodedGif})(${JSON.stringify(gif.base64)})`)).toEqual({ width: 640, height: 480, pictures: 8, ms: [100] });
    const { width, height } = pngSize(Buffer.from(picture.base64, "base64"));
    expect([width, height]).toEqual([640, 480]);
    await dialog.getByLabel("Format").selectOption("webm");
    await dialog.getByLabel("To step").fill("60");
    await dialog.getByLabel("Every nth recorded step").fill("1");
    await dialog.getByLabel("Size").selectOption("1920×1080");
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.getByText("Nothing was saved").waitFor();
    expect(await page.locator(".export-stage").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("charts run along seconds and are smoothed, the raw line behind; a reload shows the same", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    await page.getByLabel("Along").selectOption("seconds");
    const smoothing = page.getByLabel("Smoothing");
    await smoothing.selectOption("0.9");
    await expect.poll(() => page.url()).toMatch(/x=seconds.*smooth=0\.9/);
    await page.reload();
    const loss = page.getByRole("slider", { name: /^Loss over seconds: loss, raw, loss/ });
    await loss.waitFor();
    expect(await smoothing.inputValue()).toBe("0.9");
    // The mean without the bias of its beginning, of the losses that the run was written with.
    const losses = Array.from({ length: 60 }, (_, at) => writtenLoss(at + 1, 1));
    const sums = losses.reduce((sum, value, at) => sum + value * 0.1 * 0.9 ** (59 - at), 0);
    const legend = page.locator("section.chart", { hasText: "Loss" }).first().locator(".legend");
    expect(await legend.locator("output").getAttribute("title")).toBe(String(writtenLoss(60, 1)));
    expect(Number((await legend.locator(".smoothed").innerText()).replace("smoothed", ""))).toBeCloseTo(sums / (1 - 0.9 ** 60), 3);
    // Cursor and replay stay in steps.
    await loss.press("ArrowLeft");
    await expect.poll(() => text(page, "step")).toBe("59");
    expect(complaints).toEqual([]);
  });

  test("legends read the recorded values at every step of a long run, in charts and overlays", async () => {
    const long = join(folder.path, "long");
    writeRun({ folder: long, id: "d", name: "fourth", seed: 1, steps: 4000 });
    writeRun({ folder: long, id: "e", name: "fifth", seed: 2, steps: 4000 });
    await using asked = await askedServer(long);
    await using opened = await openPage(browser, asked.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "fourth");
    const scrubber = page.getByRole("slider", { name: "Step", exact: true });
    const titles = () =>
      page.evaluate(
        `["loss", "tokens in black holes (P)"].map((label) => [...document.querySelectorAll(".legend li")].find((item) => item.textContent.startsWith(" " + label) || item.textContent.trim().startsWith(label))?.querySelector("output").title)`,
      );
    for (const step of [3, 4, 17, 40, 101, 997, 1501, 1999, 2000, 2001, 2003, 3777, 3999]) {
      await scrubber.fill(String(step));
      await expect.poll(titles).toEqual([String(writtenLoss(step, 1)), step > 2000 ? String(deadRows.length) : "0"]);
    }
    const { runs } = await asked.shelf("?sort=seed");
    await page.goto(`${page.url().split("#")[0]}#/overlay?runs=${runs.map(({ id }) => id).join(",")}`);
    const plot = page.getByRole("slider", { name: /^Loss over steps/ });
    await plot.focus();
    for (const key of ["ArrowLeft", "PageUp", "PageUp", "ArrowRight", "ArrowLeft"]) {
      await plot.press(key);
      const step = Number(await plot.getAttribute("aria-valuenow"));
      const outputs = () => page.locator(".legend output").evaluateAll((found) => found.map((output) => output.getAttribute("title")));
      await expect.poll(outputs).toEqual([1, 2].map((seed) => String(writtenLoss(step, seed))));
    }
    expect(complaints).toEqual([]);
  });

  test("a followed token has its way behind it: none at the first state, the whole of it at the last", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await openRun(page, "first");
    await page.getByLabel("Token to follow").fill("A");
    await page.getByRole("button", { name: "Follow" }).click();
    const drawn = (): Promise<number> =>
      page.evaluate(`(() => {
        const canvas = document.querySelector(".stage canvas.labels");
        const colour = getComputedStyle(canvas).getPropertyValue("--followed").trim();
        const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 0; at < data.length; at += 4) {
          if (data[at + 3] > 60 && Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue) < 30) count++;
        }
        return count;
      })()`);
    const scrubber = page.getByRole("slider", { name: "Step", exact: true });
    await scrubber.fill("0");
    await expect.poll(() => text(page, "step")).toBe("0");
    const ofName = await drawn();
    await scrubber.fill("60");
    await expect.poll(drawn).toBeGreaterThan(ofName + 20);
    expect(complaints).toEqual([]);
  });

  test("runs of an experiment that are laid over each other are told apart by their arms", async () => {
    const own = join(folder.path, "arms");
    writeExperiment(own);
    await using asked = await askedServer(own);
    await using opened = await openPage(browser, asked.serving.url);
    const { page, complaints } = opened;
    await page.getByLabel("Choose all runs").check();
    await page.getByRole("button", { name: "Overlay 2" }).click();
    await expect
      .poll(() => page.locator(".legend li").allInnerTexts())
      .toEqual([expect.stringContaining("run of scaled"), expect.stringContaining("run of plain")]);
    expect(await page.getByLabel("Dash by").inputValue()).toBe("arm");
    const dashes = await page.locator(".legend line").evaluateAll((lines) => lines.map((line) => line.getAttribute("stroke-dasharray")));
    expect(new Set(dashes).size).toBe(2);
    await page.getByLabel("Along").selectOption("epoch");
    await page.getByRole("slider", { name: /^Loss over epoch/ }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("an experiment opens with its verdict in three lines, the forest of the deciding measures and the tokens of every run", async () => {
    const own = join(folder.path, "judged");
    const written = writeExperiment(own);
    {
      using ledger = new Ledger(written);
      const { result } = sweepTrial({}, 2);
      for (const arm of ["plain", "scaled"]) ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
    }
    writeFileSync(join(written, "result.json"), JSON.stringify(await readExperiment(written, { workers: 0 })));
    await using asked = await askedServer(own);
    await using opened = await openPage(browser, asked.serving.url);
    const { page, complaints } = opened;
    await page
      .getByRole("link", { name: /^norms/ })
      .first()
      .click();
    await page.getByText("plain lacks 1 run (seed 2); scaled lacks 1 run (seed 1)").waitFor();
    const titles = () => page.locator(".served-figure h3").allTextContents();
    await expect.poll(titles).toEqual(["scaled against plain: inconclusive", expect.stringContaining("plain in 0 of 1, scaled in 0 of 1")]);
    await expect.poll(() => page.locator(".served-figure").last().locator(".drawing:not(.paper-drawing) svg[data-panel]").count()).toBe(2);
    await page.getByText("Measures that do not decide").click();
    await expect.poll(titles).toHaveLength(3);
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("trials of a sweep are filtered along axes and by fields; the address keeps the filters, and the best trial is marked", async () => {
    const own = join(folder.path, "sweeps");
    writeSweep(own);
    await using asked = await askedServer(own);
    await using opened = await openPage(browser, asked.serving.url);
    const { page, complaints } = opened;
    await page
      .getByRole("link", { name: /^rates/ })
      .first()
      .click();
    const names = () => page.locator("td.title a").allTextContents();
    await expect.poll(names).toEqual(["lr 1e-4", "lr 0.001"].flatMap((rate) => [2, 4, 8].map((batch) => `${rate} · batch ${batch}`)));
    await page.getByText("★ Best: lr 1e-4 · batch 2 (lowest P, 20).").waitFor();
    await page.getByLabel("Best is").selectOption("highest");
    await page.getByText("★ Best: lr 0.001 · batch 8 (highest P, 81).").waitFor();
    // Along the axis of the batch size, from its lower end past the middle.
    const axis = await page.locator(".brushable").nth(1).boundingBox();
    if (!axis) throw new Error("no axis");
    await page.mouse.move(axis.x + axis.width / 2, axis.y + axis.height - 4);
    await page.mouse.down();
    await page.mouse.move(axis.x + axis.width / 2, axis.y + axis.height * 0.4, { steps: 3 });
    await page.mouse.up();
    await page.getByText("4 of 6 trials").waitFor();
    await page.getByLabel("Lowest lr").selectOption("0.001");
    await page.getByText("2 of 6 trials").waitFor();
    expect(await page.locator(".heat tbody td").allTextContents()).toEqual(["–n = 0", "21", "–n = 0", "41", "–n = 0", "–n = 0"]);
    await page.reload();
    await expect.poll(names).toEqual(["lr 0.001 · batch 2", "lr 0.001 · batch 4"]);
    await page.getByText("★ Best: lr 0.001 · batch 4 (highest P, 41).").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByText("6 trials").first().waitFor();
    expect(page.url()).not.toContain("brush");
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test.each([
    { colorScheme: "light", viewport: { width: 1280, height: 900 } },
    { colorScheme: "dark", viewport: { width: 1280, height: 900 } },
    { colorScheme: "light", viewport: { width: 360, height: 740 } },
  ] as const)("axe finds nothing, and nothing hangs over the edge: $colorScheme, $viewport.width wide", async (options) => {
    await using opened = await openPage(browser, server.serving.url, options);
    const { page, complaints } = opened;
    const overhang = () => page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    await page.getByRole("link", { name: "first", exact: true }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    expect(await overhang()).toBe(0);
    await openRun(page, "first");
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(options.colorScheme);
    expect(await axeFindings(page)).toEqual([]);
    expect(await overhang()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("a history of 10,001 × 128 × 64 and one of 6,001 × 10,000 × 64 open and are scrubbed to their last state", async () => {
    const large = join(folder.path, "large");
    mkdirSync(large);
    stretchHistory(writeRun({ folder: large, id: "long", name: "long" }), [10_001, 128, 64]);
    stretchHistory(writeRun({ folder: large, id: "wide", name: "wide" }), [6001, 10_000, 64]);
    await using own = await askedServer(large);
    await using opened = await openPage(browser, own.serving.url);
    const { page, complaints } = opened;
    for (const [name, last, rows] of [
      ["long", 10_000, 128],
      ["wide", 6000, 10_000],
    ] as const) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("slider", { name: "Step", exact: true }).fill("5");
      await expect.poll(() => text(page, "step")).toBe("5");
      await expect.poll(async () => Number((await text(page, "P")).replace(/\D/g, "")), { timeout: 20_000 }).toBe(rows);
      await page.getByRole("slider", { name: "Step", exact: true }).fill(String(last));
      await expect.poll(async () => Number((await text(page, "step")).replace(/\D/g, "")), { timeout: 20_000 }).toBe(last);
      await page.goto(own.serving.url);
    }
    expect(complaints).toEqual([]);
  });

  test("a training is watched while it goes on, and is stopped from the page after a question", async () => {
    const live = join(folder.path, "live");
    const training = start(["train", "--preset", "quick", "--steps", "5000", "--device", "cpu", "--threads", "1", "--out", live, "--name", "live", "--serve"]);
    let said = "";
    training.stderr?.on("data", (piece: Buffer) => {
      said += String(piece);
    });
    const address = () => /Watch it at\s+(http\S+)/.exec(said)?.[1];
    expect(await eventually(() => address() !== undefined, 60_000)).toBe(true);
    await using opened = await openPage(browser, address() ?? "");
    const { page } = opened;
    await page.getByRole("link", { name: "live", exact: true }).click({ timeout: 60_000 });
    const progress = async () => Number(/^[\d\u202f]+/.exec(await text(page, "progress"))?.[0].replace(/\D/g, ""));
    await expect.poll(progress, { timeout: 60_000 }).toBeGreaterThan(0);
    const before = await progress();
    await expect.poll(progress, { timeout: 60_000 }).toBeGreaterThan(before);
    expect(await page.title()).toMatch(/^\d+\/5000 · live$/);
    await page.getByRole("slider", { name: "Step", exact: true }).press("Home");
    const pinned = page.getByTestId("pinned");
    await expect.poll(() => pinned.innerText()).toMatch(/^Pinned at 0, live \d/);
    const badge = await pinned.innerText();
    await expect.poll(() => pinned.innerText(), { timeout: 60_000 }).not.toBe(badge);
    expect(await text(page, "step")).toBe("0");
    await pinned.getByRole("button", { name: "Follow" }).click();
    await expect.poll(() => pinned.count()).toBe(0);
    await expect.poll(() => text(page, "step")).not.toBe("0");
    await page.getByRole("button", { name: "Stop …" }).click();
    await page.getByRole("button", { name: "Let it train" }).click();
    const unharmed = await progress();
    await expect.poll(progress, { timeout: 60_000 }).toBeGreaterThan(unharmed);
    await page.getByRole("button", { name: "Stop …" }).click();
    await page.getByRole("button", { name: "Stop it" }).click();
    await training;
    expect(said).toMatch(/cli\.js resume /); // the command as this program was started
    await page.getByText("The server does not answer").waitFor();
    // What was received last stays, and head and stage show the same step.
    expect(await progress()).toBe(Number((await text(page, "step")).replace(/\D/g, "")));
    await using own = await askedServer(live);
    expect((await own.shelf()).runs[0]).toMatchObject({ status: "stopped", reason: "signal" });
  });

  test("a training is watched from its start to its end", async () => {
    const whole = join(folder.path, "whole");
    await using own = await askedServer(whole);
    await using opened = await openPage(browser, own.serving.url);
    const { page, complaints } = opened;
    const refused: string[] = [];
    page.on("response", (response) => {
      if (response.status() >= 400) refused.push(`${response.status()} ${new URL(response.url()).pathname}`);
    });
    await page.getByText("There is no run here yet").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    const training = start(["train", "--preset", "quick", "--steps", "25", "--device", "cpu", "--threads", "1", "--out", whole, "--name", "whole"]);
    await page.getByRole("link", { name: "whole", exact: true }).click({ timeout: 60_000 });
    await expect.poll(() => text(page, "progress"), { timeout: 60_000 }).toBe("25 of 25 steps");
    expect((await training).exitCode).toBe(0);
    await page.locator(".head .status.completed").waitFor({ timeout: 30_000 });
    await page.locator(".judged").waitFor();
    await expect.poll(() => text(page, "step")).toBe("25");
    await expect.poll(() => page.title()).toBe("null · whole");
    expect(await layoutShift(page)).toBeLessThan(0.1);
    await page.reload();
    await page.locator(".charts .chart").first().waitFor();
    await expect.poll(() => text(page, "step")).toBe("25");
    expect(await layoutShift(page)).toBeLessThan(0.1);
    // A new run is looked at before its history is there.
    expect(refused.filter((each) => !/^4(04|22) \/api\/runs\/[^/]+\/(history|basis)$/.test(each))).toEqual([]);
    expect(complaints.filter((complaint) => !complaint.startsWith("Failed to load resource"))).toEqual([]);
  });
});
