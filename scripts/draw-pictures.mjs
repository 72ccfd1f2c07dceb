// Draws the pictures of README and docs from a real run: `npm run docs:pictures` trains the preset quick on one thread, `-- RUN` uses an existing run.
// The program draws the figures; screenshots need Chromium, and are not updated without it.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { drawConcepts } from "./draw-concepts.mjs";
import { prepare, root } from "./prepare.mjs";

await prepare();
const { census, figure, openRun, pngOfFigure, svgOfFigure } = await import("../dist/index.js");
const { chromium } = await import("playwright-core");
const program = join(root, "dist", "cli.js");
const pictures = join(root, "docs", "pictures");
const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

/** Runs the program and returns its document. */
function run(...args) {
  const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
  return JSON.parse(execFileSync(process.execPath, [program, ...args, "--json"], options));
}

/** Draws distinct rows, tokens in black holes, and the largest number of dead tokens that share a row, over the steps. */
async function story(directory) {
  const { corpus, config_hash: hash, name } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
  const dead = new Set(corpus.deadTokens);
  const counts = [];
  for await (const { step, matrix } of (await openRun(directory)).history()) {
    const { unique, P, members } = census(matrix);
    counts.push({ step, unique, P, dead: Math.max(0, ...members.map((hole) => hole.filter((token) => dead.has(token)).length)) });
  }
  const names = { P: "tokens in black holes (P)", unique: "distinct rows", dead: "dead tokens that share one row" };
  const line = (key, series) => {
    // Steps at which nothing changes add nothing to a staircase.
    const told = counts.filter((state, index) => index === 0 || index === counts.length - 1 || state[key] !== counts[index - 1][key]);
    return { mark: "line", series, x: told.map(({ step }) => step), y: told.map((state) => state[key]), curve: "step" };
  };
  const plain = { unit: null, zero: false, domain: null, ticks: null };
  return {
    schema: "bh-bridge/figure@1",
    name: "story",
    title: "What becomes of one black hole",
    caption: `All rows of the embedding start equal. The tokens of the text part one after the other; the ${dead.size} that it never has do not. The axis of steps is logarithmic in step + 1.`,
    sources: [{ name, hash }],
    series: Object.values(names).map((each, index) => ({ name: each, palette: "series", color: index, dash: index, marker: index })),
    panels: [
      {
        title: "",
        x: { ...plain, label: "training step", scale: "symlog" },
        y: { ...plain, label: "number", scale: "linear", zero: true },
        equal: false,
        marks: Object.keys(names).map(line),
      },
    ],
    columns: 1,
  };
}

/** The verdict of a run, without the steps at which no count changes. */
async function verdict(directory) {
  const drawn = await figure(directory, "verdict");
  const marks = drawn.panels[0].marks.map((mark) => {
    if (mark.mark !== "band") return mark;
    const kept = mark.x.flatMap((_, at) => (at === mark.x.length - 1 || [mark.low, mark.high].some((edge) => edge[at] !== edge[at - 1]) ? [at] : []));
    const [x, low, high] = [mark.x, mark.low, mark.high].map((values) => kept.map((at) => values[at]));
    return { ...mark, x, low, high };
  });
  return { ...drawn, panels: [{ ...drawn.panels[0], marks }] };
}

/** The figure at the end of the tutorial, from its experiment. One worker trains no pair in advance, so the numbers of runs do not depend on time. */
async function tutorialFigure(scratch) {
  const page = readFileSync(join(root, "docs", "learn", "tutorial.md"), "utf8");
  const file = join(scratch, "noise.yaml");
  writeFileSync(file, /^```yaml\n(.*?)^```/ms.exec(page)[1]);
  const { directory } = run("experiment", file, "--steps", "40", "--workers", "1", "--out", scratch);
  run("report", directory, "--figures", join(scratch, "noise"));
  const arms = JSON.parse(readFileSync(join(scratch, "noise", "arms.json"), "utf8"));
  return { ...arms, title: "", columns: 1, panels: arms.panels.filter(({ title }) => title === "Tokens in black holes (P)") };
}

/** Draws a figure in the colours of its reader, and in dark ones for the dark pages of the site. */
async function drawBoth(name, described) {
  writeFileSync(join(pictures, `${name}.svg`), await svgOfFigure(described, { width: 480 }));
  writeFileSync(join(pictures, `${name}-dark.svg`), await svgOfFigure(described, { theme: "dark", width: 480 }));
}

/** Takes screenshots of the report and the live page of a run. */
async function photograph(directory, scratch) {
  const opened = await chromium.launch({ executablePath: browser, args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
  const server = spawn(process.execPath, [program, "serve", "--out", dirname(directory), "--port", "0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const page = await opened.newPage({ viewport: { width: 1000, height: 900 }, colorScheme: "light" });
    const report = join(scratch, "report.html");
    run("report", directory, "-o", report);
    await page.goto(pathToFileURL(report).href);
    await page.locator(".replay canvas").first().waitFor();
    await page.screenshot({ path: join(pictures, "report.png") });
    const slider = page.locator(".replay").getByRole("slider");
    await slider.press("End");
    await slider.blur();
    await page.locator(".replay").getByLabel("Token to follow").fill("e");
    await page.keyboard.press("Enter");
    await page.locator(".replay").screenshot({ path: join(pictures, "replay.png") });

    const { value: line } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(JSON.parse(line).url);
    const { name } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
    await page.getByRole("link", { name, exact: true }).click();
    await page.locator(".holes code").first().waitFor();
    await page.screenshot({ path: join(pictures, "page.png") });
  } finally {
    server.kill();
    await opened.close();
  }
}

const scratch = mkdtempSync(join(tmpdir(), "bh-bridge-pictures-"));
try {
  const given = process.argv[2];
  const directory =
    given === undefined ? run("train", "--preset", "quick", "--name", "quick", "--threads", "1", "--device", "cpu", "--out", scratch).run : resolve(given);
  mkdirSync(pictures, { recursive: true });
  writeFileSync(join(pictures, "quick.svg"), await svgOfFigure(await story(directory)));
  const drawn = await verdict(directory);
  writeFileSync(join(pictures, "verdict.svg"), await svgOfFigure(drawn, { theme: "light", width: 480 }));
  writeFileSync(join(pictures, "verdict-dark.svg"), await svgOfFigure(drawn, { theme: "dark", width: 480 })); // for the dark site
  writeFileSync(join(pictures, "cloud.svg"), await svgOfFigure(await figure(directory, "cloud")));
  const first = run("train", "--preset", "quick", "--engine", "portable", "--name", "first", "--out", scratch).run;
  await drawBoth("first", await figure(first, "verdict"));
  await drawBoth("noise", await tutorialFigure(scratch));
  await drawConcepts(first, join(pictures, "concepts"), { census, openRun });
  writeFileSync(join(pictures, "freezing.png"), await pngOfFigure(await figure(directory, "freezing"), { scale: 1 }));
  if (browser === undefined) console.error("Chromium was not found: screenshots are not updated");
  else await photograph(directory, scratch);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
