import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Page } from "playwright-core";
import { serveDocumentSchema } from "../../src/serve/documents.js";
import { browserProgram, openPage, startBrowser } from "../../tests/e2e/browser.js";
import { stretchHistory, writeRun } from "../../tests/unit/serve/written-run.js";
import { describeMachine, projectRoot, spread } from "../measure.js";

/**
 * The page at the sizes that it is made for: 200 runs in a list, 100 runs × 10,000 points and 200 runs over each other, a history of 10,001 × 128 × 64 from a
 * click to its cloud, frames of the replay of 128 and of 10,000 points, and the memory of the server behind all that. Without a graphics card the processor
 * draws: the renderer is told.
 */
if (browserProgram === undefined) throw new Error("there is no Chromium: apt-get install chromium");

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-bench-"));
for (let at = 0; at < 200; at++) {
  const run = writeRun({ folder, id: `run-${at}`, seed: at, steps: 10 });
  if (at < 100) stretchHistory(run, [10_001, 128, 64]);
}
// 10,000 points at places of their own: numbers between −2 and 2 by a hash of their place.
stretchHistory(
  writeRun({ folder, id: "wide", name: "wide", seed: 500, steps: 10 }),
  [601, 10_000, 64],
  (index) => ((Math.imul(index + 1, 2654435761) >>> 16) & 0x80ff) | 0x3f00,
);

const server = spawn(process.execPath, [join(projectRoot, "dist/cli.js"), "serve", "--out", folder, "--port", "0", "--json"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const [line] = await once(createInterface(server.stdout), "line");
const { url } = serveDocumentSchema.parse(JSON.parse(String(line)));
const browser = await startBrowser();

/** Milliseconds until something is on the page and painted, which the second frame after it waits for. Asked of the page itself. */
async function until(page: Page, hash: string, isThere: string): Promise<number> {
  return page.evaluate(
    `new Promise((resolve) => {
      const begun = performance.now();
      location.hash = ${JSON.stringify(hash)};
      const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - begun)));
      const look = () => (${isThere}) ? painted() : requestAnimationFrame(look);
      look();
    })`,
  );
}

/** Milliseconds between frames, over some seconds. */
async function frames(page: Page, seconds: number): Promise<number[]> {
  return page.evaluate(
    `new Promise((resolve) => {
      const times = [];
      const tick = (now) => { times.push(now); now - times[0] < ${1000 * seconds} ? requestAnimationFrame(tick) : resolve(times.slice(1).map((time, at) => time - times[at])); };
      requestAnimationFrame(tick);
    })`,
  );
}

/** What draws the cloud. */
function renderer(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const gl = document.createElement("canvas").getContext("webgl2");
    return gl?.getParameter(gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER) ?? "no WebGL 2";
  })()`);
}

try {
  console.log(await describeMachine());
  await using opened = await openPage(browser, "about:blank");
  const { page } = opened;
  const began = performance.now();
  await page.goto(url);
  await page.locator("td.name a").first().waitFor();
  console.log(`  drawn by ${await renderer(page)}`);
  console.log(`  201 runs that the server has not read yet: ${(performance.now() - began).toFixed(0)} ms from the address`);
  const lists: number[] = [];
  const overlays: number[] = [];
  const wholeOverlays: number[] = [];
  const openings: number[] = [];
  const links = new Map(
    await page.locator("td.name a").evaluateAll((all) => all.map((each): [string, string] => [each.textContent ?? "", each.getAttribute("href") ?? ""])),
  );
  const idsOf = (count: number) => Array.from({ length: count }, (_, at) => links.get(`run-${at}`)?.split("/").at(-1)).join(",");
  for (let round = 0; round < 5; round++) {
    overlays.push(await until(page, `#/overlay?runs=${idsOf(100)}`, "document.querySelector('.u-over')"));
    await until(page, "#/runs", "document.querySelector('td.name a')");
    wholeOverlays.push(await until(page, `#/overlay?runs=${idsOf(200)}`, "document.querySelector('.u-over')"));
    lists.push(await until(page, "#/runs", "document.querySelectorAll('td.name a').length === 201"));
    openings.push(
      await until(
        page,
        links.get(`run-${round}`) ?? "",
        "document.querySelector('[data-testid=step]') && (document.querySelector('[data-testid=P]')?.textContent ?? '–') !== '–'",
      ),
    );
    await until(page, "#/runs", "document.querySelector('td.name a')");
  }
  console.log(spread("200 runs in a list", lists, "ms"));
  console.log(spread("100 runs × 10,000 points", overlays, "ms"));
  console.log(spread("200 runs over each other", wholeOverlays, "ms"));
  console.log(spread("10,001 × 128 × 64, to its cloud", openings, "ms"));
  for (const [name, title] of [
    ["run-0", "frame, 128 points"],
    ["wide", "frame, 10,000 points"],
  ] as const) {
    await until(page, links.get(name) ?? "", "document.querySelector('[data-testid=step]')");
    await page.getByRole("button", { name: "Tour" }).click();
    await page.waitForTimeout(1000);
    console.log(spread(title, await frames(page, 3), "ms"));
    await until(page, "#/runs", "document.querySelector('td.name a')");
  }
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1];
  console.log(`  memory of the server at its peak: ${(Number(peak) / 1000).toFixed(0)} MB`);
} finally {
  await browser.close();
  server.kill();
  rmSync(folder, { recursive: true });
}
