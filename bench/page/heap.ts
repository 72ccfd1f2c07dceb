import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { CDPSession, Page } from "playwright-core";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { serveDocumentSchema } from "../../src/serve/documents.js";
import { browserProgram, openPage, startBrowser } from "../../tests/e2e/browser.js";
import { describeMachine, projectRoot, python } from "../measure.js";

/**
 * The heap of the page over minutes of a run that trains, after a forced collection every half minute. The replay plays all the time, from the start to the
 * newest step and again, while charts, verdict and tokens follow the training.
 *
 * `npm run bench:heap -- [minutes] [corpus]`
 */
if (browserProgram === undefined) throw new Error("there is no Chromium: apt-get install chromium");

const minutes = Number(process.argv[2] ?? 10);
const corpus = process.argv[3] ?? builtInPath();
const everySeconds = 30;
/** Samples that may still load code, pieces and caches. */
const settling = 4;

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-heap-"));
const cli = join(projectRoot, "dist/cli.js");
const long = ["--preset", "quick", "--steps", "1000000", "--threads", "1", "--device", "cpu"];
const training = spawn(process.execPath, [cli, "train", ...long, "--corpus", corpus, "--python", python, "--out", folder, "--quiet"], { stdio: "inherit" });
const server = spawn(process.execPath, [cli, "serve", "--out", folder, "--port", "0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
const [line] = await once(createInterface(server.stdout), "line");
const { url } = serveDocumentSchema.parse(JSON.parse(String(line)));
const browser = await startBrowser();

interface Sample {
  heap: number;
  buffers: number;
  nodes: number;
  listeners: number;
  step: number;
}

/** What is alive after a collection: megabytes of JavaScript objects and of array buffers, nodes and listeners of the document. */
async function sampled(session: CDPSession, page: Page): Promise<Sample> {
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.collectGarbage");
  const usage: { usedSize: number; backingStorageSize?: number } = await session.send("Runtime.getHeapUsage");
  const { metrics } = await session.send("Performance.getMetrics");
  const metric = (name: string) => metrics.find((each) => each.name === name)?.value ?? Number.NaN;
  const title = await page.title();
  return {
    heap: usage.usedSize / 1e6,
    buffers: (usage.backingStorageSize ?? Number.NaN) / 1e6,
    nodes: metric("Nodes"),
    listeners: metric("JSEventListeners"),
    step: Number(/^[\d,\s]+/.exec(title)?.[0].replaceAll(/[,\s]/g, "") ?? Number.NaN),
  };
}

/** The slope of a straight line through values at equal distances. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [up, down] = values.reduce(([over, under], value, at) => [over + (at - middle) * (value - mean), under + (at - middle) ** 2], [0, 0]);
  return up / down;
}

try {
  console.log(await describeMachine());
  await using opened = await openPage(browser, url);
  const { page, complaints } = opened;
  await page.locator("td.name a").first().click({ timeout: 60_000 });
  await page.getByTestId("P").waitFor({ timeout: 60_000 });
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const samples: Sample[] = [];
  for (let at = 0; at <= (minutes * 60) / everySeconds; at++) {
    const play = page.getByRole("button", { name: "Play", exact: true });
    for (let second = 0; second < everySeconds; second += 5) {
      if (await play.isVisible()) await play.click({ timeout: 2000 }).catch(() => undefined); // a busy machine tries again
      await page.waitForTimeout(5000);
    }
    const sample = await sampled(session, page);
    samples.push(sample);
    console.log(
      `  ${(((at + 1) * everySeconds) / 60).toFixed(1).padStart(5)} min  step ${sample.step}  heap ${sample.heap.toFixed(2)} MB  buffers ${sample.buffers.toFixed(1)} MB  ${sample.nodes} nodes  ${sample.listeners} listeners`,
    );
  }
  const settled = samples.slice(settling);
  const perMinute = (values: readonly number[]) => (slopeOf(values) * 60) / everySeconds;
  console.log(
    `  after ${(settling * everySeconds) / 60} min: heap ${Math.min(...settled.map(({ heap }) => heap)).toFixed(2)} to ${Math.max(...settled.map(({ heap }) => heap)).toFixed(2)} MB, slope ${perMinute(settled.map(({ heap }) => heap)).toFixed(3)} MB per minute; nodes ${perMinute(settled.map(({ nodes }) => nodes)).toFixed(1)} per minute`,
  );
  await page.reload(); // what is there without the minutes before
  await page.getByTestId("P").waitFor({ timeout: 60_000 });
  await page.waitForTimeout(10_000);
  const fresh = await sampled(session, page);
  console.log(`  the same page, opened again: step ${fresh.step}  heap ${fresh.heap.toFixed(2)} MB  ${fresh.nodes} nodes  ${fresh.listeners} listeners`);
  for (const complaint of complaints) console.log(`  complaint: ${complaint}`);
} finally {
  await browser.close();
  server.kill();
  training.kill();
  await once(training, "exit");
  rmSync(folder, { recursive: true });
}
