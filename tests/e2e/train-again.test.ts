import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inflateRawSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunSource } from "../../src/figures/runs/run-figure.js";
import { portableLibrary, type Retraining, retrainingOf } from "../../src/report/retraining.js";
import type { Snapshot } from "../../web/shared/portable/messages.js";
import { trained } from "../../web/shared/portable/training-worker.js";
import { type AskedServer, askedServer } from "../unit/serve/asking.js";
import { axeFindings } from "./axe-findings.js";
import { browserProgram, openPage, startBrowser } from "./browser.js";
import { projectRoot, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
const steps = 20;
const report = join(folder.path, "report.html");
let server: AskedServer;
let browser: Browser;
/** The run that the page Try it also trains, and one with what it lacks. */
let usual: string;
let other: string;

/** Train a run. @returns its directory. */
async function train(name: string, ...changes: string[]): Promise<string> {
  const out = join(folder.path, name);
  const { exitCode, stderr } = await run(["train", "--engine", "portable", "--steps", String(steps), ...changes, "--out", out, "--quiet"]);
  expect(exitCode, stderr).toBe(0);
  return join(out, readdirSync(out)[0] ?? "");
}

beforeAll(async () => {
  usual = await train("usual");
  const changes = ["model.norm=layernorm", "model.tie_word_embeddings=false", "init.kind=snowball", "training.gradient_accumulation_steps=2", "seeds.init=7"];
  other = await train("other", ...changes.flatMap((change) => ["--set", change]), "--set", "training.per_device_train_batch_size=5");
  const { exitCode, stderr } = await run(["report", usual, "-o", report]);
  expect(exitCode, stderr).toBe(0);
  if (browserProgram === undefined) return;
  server = await askedServer(join(folder.path, "usual"));
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function readRetraining(directory: string, most?: number): Promise<Retraining> {
  using source = new RunSource(directory);
  const found = await retrainingOf(source, most);
  if (typeof found !== "object") throw new Error(String(found));
  return found;
}

const bytesOf = (base64: string) => Uint8Array.from(Buffer.from(base64, "base64"));

/** Train as the worker of a browser does. */
async function trainedAgain({ config, text, steps: recorded, hashes, rows, deadTokens }: Retraining): Promise<Snapshot[]> {
  const library = Uint8Array.from(readFileSync(portableLibrary)).buffer;
  const tokens = Uint8Array.from(inflateRawSync(bytesOf(text.tokens)));
  const recording = { steps: recorded, hashes: bytesOf(hashes), rows: bytesOf(rows) };
  const snapshots: Snapshot[] = [];
  const until = recorded.at(-1) ?? 0;
  for await (const snapshot of trained({ library, config, text: { kind: text.kind, tokens }, until, deadTokens, recording, isSeen: false }))
    snapshots.push(snapshot);
  return snapshots;
}

/** SHA-256 of the snapshots of a run, as the command on the page Try it computes it. */
function sumOfSnapshots(directory: string): string {
  return createHash("sha256")
    .update(readFileSync(join(directory, "history.safetensors")).subarray(4104))
    .digest("hex");
}

describe("a run of engine portable, trained again by WebAssembly", () => {
  test.each(["usual", "other"])("has the recorded bits after every step: %s", async (name) => {
    const directory = name === "usual" ? usual : other;
    const retraining = await readRetraining(directory);
    const snapshots = await trainedAgain(retraining);
    expect(snapshots.map(({ comparison }) => comparison)).toEqual(Array(steps + 1).fill({ isEqual: true }));
    for (const [index, loss] of retraining.losses.entries()) expect(snapshots[index + 1]?.loss).toBeCloseTo(loss ?? Number.NaN, 5);
    expect(snapshots.map(({ counts }) => counts.P)).toEqual(retraining.P);
    expect(snapshots.at(-1)?.sha256).toBe(sumOfSnapshots(directory));
  });

  test("stops at the first snapshot that differs from the recording, and names its rows", async () => {
    const retraining = await readRetraining(usual, 5);
    const [hashes, rows] = [bytesOf(retraining.hashes), bytesOf(retraining.rows)];
    for (const [bytes, at] of [
      [hashes, 3 * 32],
      [rows, 3 * 128 + 101],
      [rows, 3 * 128 + 104],
    ] as const)
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    const changed = { ...retraining, hashes: Buffer.from(hashes).toString("base64"), rows: Buffer.from(rows).toString("base64") };
    const snapshots = await trainedAgain(changed);
    expect(snapshots.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(snapshots.at(-1)?.comparison).toEqual({ isEqual: false, rows: [101, 104] });
  });
});

describe.skipIf(browserProgram === undefined)("in a browser", () => {
  const outcome = (page: Page) => page.locator(".again .outcome");

  test("the report of a run trains it again from its own file, without a server", async () => {
    await using opened = await openPage(browser, pathToFileURL(report).href, { viewport: { width: 390, height: 800 }, colorScheme: "dark" });
    const { page, complaints } = opened;
    await page.getByRole("button", { name: "Train this again here" }).click();
    await expect.poll(() => outcome(page).textContent(), { timeout: 60_000 }).toBe(`equal in every bit: ${steps} of ${steps} steps`);
    await page.getByRole("button", { name: "Train this again here" }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    expect(complaints).toEqual([]);
  });

  test("the page of a run trains as many steps as chosen", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await page.locator(".runs a").first().click();
    await page.getByRole("spinbutton", { name: "Steps" }).fill("5");
    await page.getByRole("button", { name: "Train this again here" }).click();
    await expect.poll(() => outcome(page).textContent(), { timeout: 60_000 }).toBe("equal in every bit: 5 of 5 steps");
    expect(complaints).toEqual([]);
  });

  test("the page Try it computes the SHA-256 that its command gives, as a file without a server", async () => {
    await using opened = await openPage(browser, pathToFileURL(join(projectRoot, "dist/try-it.html")).href, { viewport: { width: 800, height: 900 } });
    const { page, complaints } = opened;
    await page.getByRole("combobox", { name: "Steps" }).selectOption(String(steps));
    expect(await page.locator(".check pre").textContent()).toMatch(/^bh-bridge train --engine portable --steps 20 --out tried\n/);
    await page.getByRole("button", { name: "Train" }).click();
    await expect.poll(() => page.locator(".sum code").textContent(), { timeout: 60_000 }).toBe(sumOfSnapshots(usual));
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("the page Try it of a server trains, pauses and stops", async () => {
    await using opened = await openPage(browser, server.serving.url);
    const { page, complaints } = opened;
    await page.getByRole("link", { name: "Try it" }).click();
    await page.getByRole("combobox", { name: "Norm" }).selectOption("layernorm");
    await page.getByRole("button", { name: "Train" }).click();
    const step = page.locator(".numbers dd").first();
    await expect.poll(() => step.textContent(), { timeout: 60_000 }).toMatch(/^[1-9]\d* of 300$/);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Train" }).waitFor();
    expect(complaints).toEqual([]);
  });
});
