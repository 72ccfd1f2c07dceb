import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inflateRawSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AnalysisDocument, analysisDocumentSchema } from "../../src/analysis/analysis-document.js";
import { reportDocumentSchema } from "../../src/commands/report.js";
import type { RunInput } from "../../src/config/resolve-run-config.js";
import { type Figure, figureSchema, type Mark } from "../../src/figures/figure.js";
import { runFigureNames } from "../../src/figures/run-figures.js";
import { expectedFrom } from "../unit/formats/reference-python.js";
import { isOfTheDriver } from "./browser.js";
import { eventually, run, temporaryFolder } from "./program.js";
import { trainTogether } from "./train-together.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const small = {
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 40, per_device_train_batch_size: 4 },
  record: { tensors: ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq", "logits.mean"] },
} satisfies RunInput;
const figures = join(folder.path, "figures");
let [trained, other] = ["", ""];
let analysis: AnalysisDocument;
const browserPath = "/usr/bin/chromium";
/** The figures that a report draws by default: all but the sky. */
const drawnNames = runFigureNames.filter((name) => name !== "sky");
const data = (): readonly Figure[] => drawnNames.map(described);

const described = (name: string): Figure => figureSchema.parse(JSON.parse(readFileSync(join(figures, `${name}.json`), "utf8")));

beforeAll(async () => {
  const runs = [
    { ...small, name: "<script>alert(1)</script>" },
    { ...small, training: { ...small.training, max_steps: 10 }, seed: 7 },
  ];
  [trained = "", other = ""] = await trainTogether(join(folder.path, "runs"), ...runs);
  analysis = JSON.parse(readFileSync(join(trained, "analysis.json"), "utf8")) as AnalysisDocument;
});

test("report --figures writes every figure that is drawn by default as SVG, PNG, CSV and JSON, and says which", async () => {
  const { exitCode, stdout, stderr } = await run(["report", trained, "--figures", figures, "--json"]);
  expect(exitCode, stderr).toBe(0);
  const document = reportDocumentSchema.parse(JSON.parse(stdout));
  const files = document.figures.flatMap((figure) => figure.files);
  expect([...files, "figures.json", "draw_figures.py", "MANIFEST.json"].sort()).toEqual(readdirSync(figures).sort());
  expect(document.figures.map(({ name }) => name)).toEqual(drawnNames);
  expect(document.absent).toMatchObject([{ name: "sky" }]);
});

test("a run that somebody sent as a zip is reported as its folder is, and nothing of it stays", async () => {
  const archive = join(folder.path, "sent.zip");
  execFileSync("python3", ["-m", "zipfile", "-c", archive, trained]);
  const [ofFolder, ofArchive, temporary] = [join(folder.path, "folder.html"), join(folder.path, "archive.html"), mkdtempSync(join(folder.path, "tmp-"))];
  const { exitCode, stderr } = await run(["report", archive, "-o", ofArchive], { env: { TMPDIR: temporary } });
  expect(exitCode, stderr).toBe(0);
  await run(["report", trained, "-o", ofFolder]);
  expect(readFileSync(ofArchive, "utf8")).toBe(readFileSync(ofFolder, "utf8"));
  expect(readdirSync(temporary)).toEqual([]);
});

/** The lines of a figure by the names of their series, panel by panel. */
function linesOf(name: string): { panel: string; series: string; x: readonly number[]; y: readonly (number | null)[] }[] {
  const { panels, series } = described(name);
  return panels.flatMap(({ title, marks }) =>
    marks.flatMap((mark) => (mark.mark === "line" ? [{ panel: title, series: series[mark.series]?.name ?? "", x: mark.x, y: mark.y }] : [])),
  );
}

/** The height of each area of a figure, by the name of its series. */
function heightsOf(name: string): [series: string, heights: number[]][] {
  const { panels, series } = described(name);
  return panels.flatMap(({ marks }) =>
    marks.flatMap((mark): [string, number[]][] =>
      mark.mark === "band" ? [[series[mark.series]?.name ?? "", mark.high.map((high, at) => (high ?? Number.NaN) - (mark.low[at] ?? Number.NaN))]] : [],
    ),
  );
}

function expectClose(found: readonly (readonly number[])[], wanted: readonly (readonly number[] | undefined)[]): void {
  expect(found.length).toBe(wanted.length);
  for (const [index, values] of found.entries()) {
    expect(values.length).toBe(wanted[index]?.length);
    for (const [at, value] of values.entries()) expect(value).toBeCloseTo(wanted[index]?.[at] ?? Number.NaN, 12);
  }
}

test("the numbers of a figure are those of the analysis", async () => {
  const { timeline, geometry, motion, lifecycle, topology } = analysis;
  const values = (name: string) => linesOf(name).map(({ y }) => y);
  expect(values("black-holes")).toEqual([timeline?.P, timeline?.unique, expect.anything(), timeline?.C]);
  const components = linesOf("black-holes")[2]?.y;
  expect([components?.[0], components?.at(-1)]).toEqual([topology?.initial?.components, topology?.final?.components]);
  expect(values("radius")).toEqual([geometry?.maxRadius, geometry?.meanRadius, geometry?.centroidNorm]);
  const [way, ...moves] = values("displacement");
  expect(way?.at(-1)).toBeCloseTo(geometry?.displacement.float64 ?? Number.NaN, 12);
  expect([moves[1], moves[3]]).toEqual([motion?.weight.maxL2, motion?.lattice?.maxL2]);
  expect(values("shares")).toEqual([motion?.stillFraction]);
  const { counts: inPhase } = lifecycle ?? {};
  const inStack = [inPhase?.frozen, inPhase?.late, inPhase?.midlife, inPhase?.early].map((each) => each?.map((tokens) => tokens / 128));
  expectClose(
    heightsOf("shares").map(([, heights]) => heights),
    inStack,
  );
  expect(inStack[0]).toEqual(motion?.frozenFraction);
  const { stdout } = await run(["analyze", trained, "--only", "phases,kinematics,deadMass,adamw", "--json"]);
  const { phases, kinematics, deadMass, adamw } = analysisDocumentSchema.parse(JSON.parse(stdout));
  const { autocorrelation } = kinematics ?? {};
  // All rows begin in one place, from which there are no directions.
  const directed = (each: readonly (number | null)[] | undefined) => [null, ...(each?.slice(1) ?? [])];
  expect(values("kinematics")).toEqual([
    kinematics?.bulkSpeed,
    kinematics?.peculiarSpeed,
    directed(kinematics?.radialSpeed),
    directed(kinematics?.tangentialSpeed),
    directed(kinematics?.radial),
    autocorrelation?.bulk,
    autocorrelation?.peculiar,
  ]);
  expect(linesOf("dead-mass").map(({ x, y }) => [x, y])).toEqual([[deadMass?.steps, deadMass?.mass]]);
  const { movedBy, heldBy } = adamw ?? {};
  const weights = 128 * small.model.n_embd;
  const counts = [movedBy?.moment, movedBy?.decay, movedBy?.either, movedBy?.together, heldBy?.rounding, heldBy?.opposition, heldBy?.nothing];
  expectClose(
    heightsOf("adamw").map(([, heights]) => heights),
    counts.map((each) => each?.map((count) => count / weights)),
  );
  expect(values("adamw")).toEqual([adamw?.moment, adamw?.decay, adamw?.rounding]);
  expect(adamw?.explained).toBe(40 * weights);
  const dead = new Set((JSON.parse(readFileSync(join(trained, "run.json"), "utf8")) as { corpus: { deadTokens: number[] } }).corpus.deadTokens);
  const meanShare = (phase: "early" | "midlife" | "late" | "frozen", isDead: boolean) => {
    const lengths = (phases?.[phase] ?? []).filter((_, token) => dead.has(token) === isDead);
    return lengths.reduce((sum, steps) => sum + steps, 0) / lengths.length / 40;
  };
  for (const mark of described("phases").panels[0]?.marks ?? []) {
    if (mark.mark !== "bars") throw new Error("phases has other marks");
    const [phase = ""] = /early|midlife|late|frozen/.exec(described("phases").series[mark.series]?.name ?? "") ?? [];
    const lengths = mark.values.map((end, bar) => end - (mark.from?.[bar] ?? 0));
    expectClose([lengths], [[false, true].map((isDead) => meanShare(phase as "early", isDead))]);
  }
  expect(described("topology").caption).toContain(`${topology?.final?.edges} edge`);
});

test("a token's line of cells ends where the analysis says that it freezes", () => {
  const cells = described("freezing").panels[0]?.marks[0];
  if (cells?.mark !== "cells") throw new Error("the figure has no cells");
  const lastMoves = cells.rows.map((row) => Math.max(0, ...[...row].map((level, step) => (level === "0" ? 0 : step + 1))));
  expect(lastMoves).toEqual(analysis.lifecycle?.lateEnd?.map((step) => step ?? 0).toSorted((a, b) => a - b));
});

test("gradient, moments, norms, distances and directions are numpy's", () => {
  const program = `
import json, sys, torch
from safetensors.torch import load_file
run, dead = sys.argv[1], json.load(open(sys.argv[1] + "/run.json"))["corpus"]["deadTokens"]
load = lambda name: next(t for n, t in load_file(f"{run}/{name}.safetensors").items() if t.dim() == 3).double()
w, live = load("history"), [t for t in range(128) if t not in dead]
out = {}
for name, root in (("wte.grad", False), ("wte.exp_avg", False), ("wte.exp_avg_sq", True)):
    lengths = (load("history." + name).sqrt() if root else load("history." + name)).norm(dim=2)
    out[name] = [lengths[:, live].mean(1).tolist(), lengths[:, dead].mean(1).tolist()]
norms, distances = w[-1].norm(dim=1), (w[-1] - w[-1].mean(0)).norm(dim=1)
for name, rows in (("live", live), ("dead", dead)):
    out[name + " norms"] = norms[rows].sort().values.tolist()
    out[name + " distances"] = distances[rows].sort().values.tolist()
moves = [(a - b).norm(dim=1).tolist() for a, b in zip(w[1:], w[:-1])]
out["quantiles"] = torch.quantile(torch.tensor(moves).double(), torch.tensor([0.1, 0.5, 0.9]).double(), dim=1).tolist()
x = w.reshape(-1, w.shape[2]); x = x - x.mean(0)
variances = torch.linalg.eigvalsh(x.T @ x).flip(0)
out["explained"] = (variances / variances.sum())[:2].tolist()
print(json.dumps(out))`;
  const expected = expectedFrom<Record<string, number[] & number[][]>>(program, trained);
  const close = (found: readonly (number | null)[] | undefined, wanted: readonly number[] | undefined) => {
    expect(found?.length).toBe(wanted?.length);
    for (const [index, value] of (found ?? []).entries()) expect(value).toBeCloseTo(wanted?.[index] ?? Number.NaN, 6);
  };
  const optimizer = linesOf("optimizer").map(({ y }) => y);
  for (const [index, name] of ["wte.grad", "wte.exp_avg", "wte.exp_avg_sq"].entries()) {
    close(optimizer[2 * index], expected[name]?.[0]);
    close(optimizer[2 * index + 1], expected[name]?.[1]);
  }
  const last = linesOf("distributions").filter(({ series }) => series === "step 40");
  for (const [index, name] of ["live norms", "dead norms", "live distances", "dead distances"].entries())
    close(last[index]?.x.slice(1, -1), [...new Set<number>(expected[name])]);
  const [band] = described("displacement").panels[1]?.marks ?? [];
  if (band?.mark !== "band") throw new Error("displacement has no band");
  close(band.low, expected["quantiles"]?.[0]);
  close(linesOf("displacement")[1]?.y, expected["quantiles"]?.[1]);
  close(band.high, expected["quantiles"]?.[2]);
  const [across, up] = [described("cloud").panels[0]?.x.label, described("cloud").panels[0]?.y.label].map((label) => Number(/ (\d+) %/.exec(label ?? "")?.[1]));
  expect([across, up]).toEqual(expected["explained"]?.map((share) => Math.round(100 * share)));
});

test("the losses are those of the event log", () => {
  const events = readFileSync(join(trained, "events.jsonl"), "utf8").trim().split("\n");
  const losses = events.map((line) => JSON.parse(line) as { type: string; loss: number }).flatMap(({ type, loss }) => (type === "step_end" ? [loss] : []));
  expect(described("loss").panels[0]?.marks[0]).toMatchObject({ x: Array.from({ length: 40 }, (_, step) => step + 1), y: losses });
});

test("a run's name is text, and never an element", () => {
  for (const file of readdirSync(figures).filter((name) => name.endsWith(".svg"))) expect(readFileSync(join(figures, file), "utf8")).not.toContain("<script");
});

describe("the HTML report", () => {
  const file = join(folder.path, "report.html");
  let html = "";
  let data: { figures: Figure[]; config: { training: { max_steps: number } }; result: { census: { P: number } } };

  beforeAll(async () => {
    const { exitCode, stderr } = await run(["report", trained, "-o", file]);
    expect(exitCode, stderr).toBe(0);
    html = readFileSync(file, "utf8");
    const packed = /<script type="text\/plain" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
    data = JSON.parse(inflateRawSync(Buffer.from(packed, "base64")).toString("utf8")) as typeof data;
  });

  test("it is one file under 3 MB that asks for nothing from outside", () => {
    expect(html.length).toBeLessThan(3_000_000);
    const page = html.replace(/<script type="module">.*<\/script>/s, "");
    expect(/(?:src|href)=["'](?!#)|@import|url\(/.exec(page)).toBeNull();
    expect(/(?:src|href)=["'](?:https?:)?\/\/|@import/.exec(html)).toBeNull();
  });

  test("only the script that it ships with may run, and a run's name is text", () => {
    const script = /<script type="module">(.*)<\/script>/s.exec(html)?.[1] ?? "";
    expect(html).toContain(`script-src &#39;sha256-${createHash("sha256").update(script).digest("base64")}&#39;`);
    expect(html).not.toContain("<script>alert(1)");
    expect(html).toContain("<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>");
  });

  test("the verdict comes first, and the figures can be seen without a script", () => {
    expect(html.indexOf('class="verdict"')).toBeLessThan(html.indexOf("<figure"));
    expect(html.match(/<figure [^>]*>\s*<h3>[^<]+<\/h3>\s*<div class="drawing"><svg/g)).toHaveLength(data.figures.length);
  });

  test("its data can be taken out: figures, result, and the configuration, without places of this machine", () => {
    for (const figure of data.figures) figureSchema.parse(figure);
    expect(data.config.training.max_steps).toBe(40);
    expect(data.result.census.P).toBe(analysis.finalCensus.P);
    expect(html).not.toContain(folder.path);
  });
});

describe.skipIf(!existsSync(browserPath))("the HTML report in a browser without a network", () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const asked: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-background-networking"] });
    const context = await browser.newContext({ offline: true, viewport: { width: 1100, height: 900 } });
    page = await context.newPage();
    page.on("console", (message) => {
      if (!isOfTheDriver(message.text())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(pathToFileURL(join(folder.path, "report.html")).href);
  });
  afterAll(async () => {
    expect(complaints).toEqual([]);
    expect(asked).toEqual([pathToFileURL(join(folder.path, "report.html")).href]);
    await browser.close();
  });

  const losses = () => described("loss").panels[0]?.marks[0] as Mark & { mark: "line" };
  const ends = () =>
    page.locator("figure[data-name=loss] svg[data-panel]").evaluate((panel) => [Number(panel.getAttribute("data-x0")), Number(panel.getAttribute("data-x1"))]);
  const place = async (share: number) => {
    const box = await page.locator("figure[data-name=loss] svg[data-panel]").evaluate((panel) => {
      const { left, top, width, height } = panel.getBoundingClientRect();
      return {
        left,
        top,
        width,
        height,
        from: Number(panel.getAttribute("data-left")),
        to: Number(panel.getAttribute("data-right")),
        whole: Number(panel.getAttribute("width")),
      };
    });
    return { x: box.left + (box.width * (box.from + share * (box.to - box.from))) / box.whole, y: box.top + box.height / 2 };
  };

  test("the value under the pointer is the recorded one, and every chart over the steps has the cursor", async () => {
    await page.locator("figure[data-name=loss]").scrollIntoViewIfNeeded();
    const { x, y } = await place(0.5);
    await page.mouse.move(x, y);
    const [, step = "", value = ""] = /step (\d+)\n.*: ([\d.]+)/.exec((await page.locator("figure[data-name=loss] .tip").textContent()) ?? "") ?? [];
    expect(Number(value)).toBeCloseTo(losses().y[losses().x.indexOf(Number(step))] ?? Number.NaN, 3);
    expect(await page.locator(".cursor").count()).toBe(data().flatMap(({ panels }) => panels.filter((panel) => panel.x.label === "training step")).length);
  });

  test("a drag zooms, and Whole goes back", async () => {
    const [from, to] = [await place(0.25), await place(0.5)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 3 });
    await page.mouse.up();
    const [low = 0, high = 0] = await ends();
    expect(low).toBeCloseTo(1 + 39 * 0.25, 0);
    expect(high).toBeCloseTo(1 + 39 * 0.5, 0);
    await page.locator("figure[data-name=loss]").getByText("Whole").click();
    expect(await ends()).toEqual([1, 40]);
  });

  test("by the keyboard alone, the replay ends where the census does", async () => {
    const scrubber = page.locator(".replay input[type=range]");
    await scrubber.focus();
    await page.keyboard.press("End");
    const { C, P, unique } = analysis.finalCensus;
    await expect.poll(() => page.locator(".replay output").textContent()).toBe(`step 40: C = ${C}, P = ${P}, ${unique} distinct`);
    await page.keyboard.press("Home");
    await expect.poll(() => page.locator(".replay output").textContent()).toBe("step 0: C = 1, P = 128, 1 distinct");
  });

  test("figures and data can be saved", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("figure[data-name=loss]").getByText("CSV").click()]);
    expect(readFileSync(await download.path(), "utf8")).toMatch(/^mark,x,y\nline,1,/);
  });

  test("nothing is wider than a narrow screen, light or dark", async () => {
    await page.setViewportSize({ width: 380, height: 700 });
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await page.locator("html").evaluate((html) => html.scrollWidth)).toBeLessThanOrEqual(380);
  });
});

test("the Markdown report has its figures beside it", async () => {
  const file = join(folder.path, "report.md");
  const { exitCode, stderr } = await run(["report", trained, "-o", file, "--md"]);
  expect(exitCode, stderr).toBe(0);
  const markdown = readFileSync(file, "utf8");
  const pictures = [...markdown.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
  expect(pictures).toHaveLength(drawnNames.length);
  for (const picture of pictures) expect(readFileSync(join(folder.path, picture), "utf8")).toMatch(/^<svg/);
  expect(markdown).toContain(`# \\<script\\>alert(1)`);
});

test("several runs are laid over one another, and told apart by what differs", async () => {
  const file = join(folder.path, "two.html");
  const { exitCode, stderr } = await run(["report", trained, other, "-o", file]);
  expect(exitCode, stderr).toBe(0);
  expect(/<h3>Loss<\/h3>.*?seed 42, max_steps 40.*?seed 7, max_steps 10.*?<\/figure>/s.test(readFileSync(file, "utf8"))).toBe(true);
});

test("report --open opens the page that was written", async () => {
  const [programs, opened, page] = [join(folder.path, "programs"), join(folder.path, "opened"), join(folder.path, "opened.html")];
  mkdirSync(programs);
  for (const name of ["xdg-open", "open"]) writeFileSync(join(programs, name), `#!/bin/sh\nprintf %s "$*" >'${opened}'\n`, { mode: 0o755 });
  const { exitCode, stderr } = await run(["report", other, "-o", page, "--open"], { env: { PATH: `${programs}:${process.env["PATH"]}` } });
  expect(exitCode, stderr).toBe(0);
  expect(await eventually(() => existsSync(opened) && readFileSync(opened, "utf8") === page, 10_000)).toBe(true);
});
