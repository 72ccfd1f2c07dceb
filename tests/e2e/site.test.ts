import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import type { Browser, Frame, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isFull } from "../repetitions.js";
import { axeFindings } from "./axe-findings.js";
import { browserProgram, startBrowser } from "./browser.js";
import { projectRoot, run, temporaryFolder } from "./program.js";

const site = join(projectRoot, "docs/.vitepress/dist");
const prefix = "/some/deep path/";
/** The first commands of a machine that has never built the site; all pages take up to four times as long on a busy one. */
const minutes = 10 * 60_000;

let pages: Map<string, string>;

beforeAll(async () => {
  const { exitCode, all } = await execa("npm", ["run", "-s", "docs:build"], { cwd: projectRoot, all: true, reject: false });
  expect(exitCode, all).toBe(0);
  const names = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  pages = new Map(names.map((name) => [name, readFileSync(join(site, name), "utf8")]));
}, minutes);

/** The values of an attribute in the tags of a page. */
function attributes(page: string, ...names: string[]): string[] {
  const found = page.matchAll(new RegExp(`\\s(?:${names.join("|")})="([^"]*)"`, "g"));
  return [...found].map(([, value = ""]) => value.replaceAll("&amp;", "&").replaceAll("&quot;", '"'));
}

describe("the built site", () => {
  test("has a page for every document", () => {
    const documents = readdirSync(join(projectRoot, "docs")).filter((name) => name.endsWith(".md"));
    expect([...pages.keys()]).toEqual(expect.arrayContaining(documents.map((name) => name.replace(/md$/, "html"))));
    expect(pages.size).toBeGreaterThan(30);
  });

  test("every link is relative and leads to a file of the site, every anchor to an element", () => {
    const ids = new Map([...pages].map(([name, page]) => [name, new Set(attributes(page, "id"))]));
    const broken: string[] = [];
    for (const [name, page] of pages) {
      for (const link of attributes(page, "href", "src")) {
        if (/^(https?|mailto|data):/.test(link)) continue;
        const [path = "", anchor] = link
          .replace(/\?[^#]*/, "")
          .split("#")
          .map(decodeURIComponent);
        const target = path === "" ? name : normalize(join(dirname(name), path));
        const isThere = !path.startsWith("/") && !target.startsWith("..") && existsSync(join(site, target)) && extname(target) !== "";
        if (!isThere || (anchor && !ids.get(target)?.has(anchor))) broken.push(`${name}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });

  test("names no script, style, font or picture of another host", () => {
    const styles = readdirSync(join(site, "assets")).filter((name) => name.endsWith(".css"));
    const outside = [
      ...[...pages.values()].flatMap((page) => attributes(page, "src")),
      ...[...pages.values()].flatMap((page) => [...page.matchAll(/<link [^>]*>/g)].flatMap(([tag]) => attributes(tag, "href"))),
      ...styles.flatMap((name) => [...readFileSync(join(site, "assets", name), "utf8").matchAll(/url\(([^)]*)\)/g)].map(([, url = ""]) => url)),
    ].filter((url) => /^["']?(https?:)?\/\//.test(url));
    expect(outside).toEqual([]);
  });

  test("llms.txt lists pages that exist, and llms-full.txt has their text", () => {
    const linked = [...readFileSync(join(site, "llms.txt"), "utf8").matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
    expect(linked.length).toBeGreaterThan(30);
    expect(linked.filter((path) => !existsSync(join(site, path)))).toEqual([]);
    const text = readFileSync(join(site, "llms-full.txt"), "utf8");
    expect(text).toContain("A **black hole** is a value that two or more tokens share.");
  });
});

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

/** A server that has the site below a path, and nothing else. */
function serveSite(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "", "http://site").pathname);
    const file = join(site, path.slice(prefix.length).replace(/(^|\/)$/, "$1index.html"));
    const isFound = path.startsWith(prefix) && existsSync(file) && extname(file) !== "";
    response.writeHead(isFound ? 200 : 404, { "content-type": types[isFound ? extname(file) : ".html"] ?? "text/plain" });
    response.end(path.startsWith(prefix) ? readFileSync(isFound ? file : join(site, "404.html")) : "");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

describe.skipIf(browserProgram === undefined)("in a browser, below a path", () => {
  const folder = temporaryFolder();
  let server: Server;
  let browser: Browser;
  let page: Page;
  let address: string;
  let complaints: string[];

  beforeAll(async () => {
    server = await serveSite();
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${encodeURI(prefix)}`;
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    complaints = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("request", (request) => /^(data|blob):/.test(request.url()) || request.url().startsWith(address) || complaints.push(request.url()));
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    folder[Symbol.dispose]();
  });

  /** Open a page of the site, with its scripts running. */
  async function open(name: string): Promise<void> {
    await page.goto(`${address}${name}`);
    await page.waitForFunction("document.querySelector('#app').__vue_app__ !== undefined");
  }

  /** The frame of the front page. */
  async function tryIt(): Promise<Frame> {
    const frame = page.locator("iframe.try-it");
    await frame.scrollIntoViewIfNeeded();
    const content = await (await frame.elementHandle())?.contentFrame();
    if (!content) throw new Error("the front page has no frame");
    await content.locator("form").waitFor();
    return content;
  }

  test("links lead to pages without loading the site again, from every depth", async () => {
    await open("reference/index.html");
    await page.evaluate("window.isKept = true");
    await page.locator(".VPSidebar").getByRole("link", { name: "Experiments", exact: true }).click();
    await page.waitForURL(`${address}experiments.html`);
    await page.locator(".VPSidebar").getByRole("link", { name: "Compare and reproduce" }).click();
    await page.waitForURL(`${address}comparing.html`);
    await expect.poll(() => page.locator("main h1").textContent()).toContain("Compare and reproduce");
    await page.locator(".VPNavBarTitle a").click();
    await page.getByRole("heading", { name: "Try it" }).waitFor();
    expect(await page.evaluate("window.isKept")).toBe(true);
    await page.reload();
    await page.getByRole("heading", { name: "Try it" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("the search finds black holes and opens the page", async () => {
    await open("index.html");
    await page.keyboard.press("Control+k");
    await page.locator("#localsearch-input").fill("black hole");
    const results = page.locator(".VPLocalSearchBox .result");
    await expect.poll(() => results.count()).toBeGreaterThan(5);
    const target = new URL((await results.first().getAttribute("href")) ?? "", address);
    await page.keyboard.press("Enter");
    await page.waitForURL(target.href);
    expect((await page.locator("main").textContent())?.toLowerCase()).toContain("black hole");
    expect(complaints).toEqual([]);
  });

  test("Try it trains, and has the bits of the engine", async () => {
    const { exitCode, stderr } = await run(["train", "--engine", "portable", "--steps", "20", "--out", folder.path, "--quiet"]);
    expect(exitCode, stderr).toBe(0);
    const history = readFileSync(join(folder.path, readdirSync(folder.path)[0] ?? "", "history.safetensors")).subarray(4104);
    await open("index.html");
    const frame = await tryIt();
    await frame.getByRole("combobox", { name: "Steps" }).selectOption("20");
    await frame.getByRole("button", { name: "Train" }).click();
    await expect.poll(() => frame.locator(".sum code").textContent(), { timeout: 60_000 }).toBe(createHash("sha256").update(history).digest("hex"));
    expect(complaints).toEqual([]);
  });

  test("the frame of Try it has the height of its content and the colours of the site", async () => {
    await open("index.html");
    const frame = await tryIt();
    const theme = () => frame.evaluate("document.documentElement.dataset.theme");
    await page.locator(".VPNavBarAppearance button").click();
    await expect.poll(theme).toBe("dark");
    await page.locator(".VPNavBarAppearance button").click();
    await expect.poll(theme).toBe("light");
    await page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => frame.evaluate("document.documentElement.scrollHeight - innerHeight")).toBe(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    expect(complaints).toEqual([]);
  });

  test("a missing page, however deep, leads back to the site", async () => {
    await page.goto(`${address}no/such/page`);
    await expect.poll(() => page.url()).toBe(`${address}404.html`);
    await page.getByRole("link", { name: "Front page" }).click();
    await page.getByRole("heading", { name: "Try it" }).waitFor();
    complaints = complaints.filter((text) => !text.includes("404"));
    expect(complaints).toEqual([]);
  });

  const few = ["index.html", "404.html", "install.html", "learn/concepts.html"];

  test("axe finds nothing, wide and narrow, light and dark, and nothing is wider than the window", { timeout: (isFull ? 4 : 1) * minutes }, async () => {
    const problems: string[] = [];
    for (const name of [...pages.keys()].filter((each) => each !== "try-it.html" && (isFull || few.includes(each)))) {
      await open(name);
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await expect.poll(() => page.evaluate("document.documentElement.classList.contains('dark')")).toBe(colorScheme === "dark");
          problems.push(...(await axeFindings(page)).map((finding) => `${name}, ${width} px, ${colorScheme}: ${finding}`));
        }
        if ((await page.evaluate("document.documentElement.scrollWidth")) !== width) problems.push(`${name} is wider than ${width} px`);
      }
    }
    expect(problems).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("pages opened as files have their styles, and links lead to files", async () => {
    const alone = await browser.newPage();
    await alone.goto(pathToFileURL(join(site, "reference/index.html")).href);
    expect(await alone.evaluate("getComputedStyle(document.body).fontFamily")).toContain("Inter");
    await alone.locator("main").getByRole("link", { name: "a run on disk", exact: true }).click();
    await alone.waitForURL(pathToFileURL(join(site, "run-directory.html")).href);
    await alone.locator(".VPNavBarTitle a").click();
    await alone.waitForURL(pathToFileURL(join(site, "index.html")).href);
    await alone.close();
  });
});
