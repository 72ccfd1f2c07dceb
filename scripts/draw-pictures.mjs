// The pictures of README and docs, from a real run: `npm run docs:pictures` trains the preset quick on one thread, or `-- RUN` takes a run that is there.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const { census, openRun } = await import("../dist/index.js");
const root = fileURLToPath(new URL("..", import.meta.url));
const read = (...path) => JSON.parse(readFileSync(join(...path), "utf8"));

/** Train the preset quick into a folder; the path of its run. */
function trainQuick(out) {
  const args = ["train", "--preset", "quick", "--threads", "1", "--device", "cpu", "--out", out, "--json"];
  const document = execFileSync(process.execPath, [join(root, "dist", "cli.js"), ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(document).run;
}

/** What each recorded state of a run holds: distinct rows, tokens in black holes, and the most dead tokens that share one row. */
async function countHoles(run, deadTokens) {
  const dead = new Set(deadTokens);
  const counts = [];
  const opened = await openRun(run);
  for await (const { step, matrix } of opened.history()) {
    const { unique, P, members } = census(matrix);
    counts.push({ step, unique, P, dead: Math.max(0, ...members.map((hole) => hole.filter((token) => dead.has(token)).length)) });
  }
  return counts;
}

const lines = {
  P: { light: "#1f4e8c", dark: "#7db3f2", label: () => "tokens in black holes (P)", at: [1.2, 128], dash: "none" },
  unique: { light: "#a8480f", dark: "#f0a06a", label: () => "distinct rows", at: [60, 77], dash: "7,4" },
  dead: { light: "#444", dark: "#bbb", label: (count) => `the ${count} dead tokens share one row`, at: [30, 43], dash: "2,4" },
};

/** The colours for a light and a dark page. The card is painted, so that the text can be read where page and system disagree. */
function colours() {
  const scheme = (name, card, text) => {
    const ofLines = Object.entries(lines).map(
      ([key, { [name]: colour }]) => `path.${key},.${key} path{stroke:${colour}}text.${key},.${key} text{fill:${colour}}`,
    );
    return `.card{fill:${card}}svg{color:${text}}${ofLines.join("")}`;
  };
  return `${scheme("light", "#fff", "#222")}@media (prefers-color-scheme:dark){${scheme("dark", "#161b22", "#ddd")}}`;
}

/** Distinct rows, tokens in black holes and dead tokens together, over the steps of a run. The axis is logarithmic in step + 1, so that it begins at step 0. */
async function drawHoles(run) {
  const { corpus, config_hash: hash, name } = read(run, "run.json");
  const counts = await countHoles(run, corpus.deadTokens);
  const vocabulary = read(run, "config.json").model.vocab_size;
  const last = counts.at(-1).step;
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  // Steps at which nothing changes add nothing to a staircase.
  const staircase = (key) => counts.filter((state, index) => index === 0 || state.step === last || state[key] !== counts[index - 1][key]);
  const svg = Plot.plot({
    document,
    width: 760,
    height: 340,
    marginLeft: 56,
    marginRight: 30,
    marginBottom: 42,
    style: { fontFamily: "system-ui, sans-serif", fontSize: "13px" },
    x: { type: "log", label: "training step (logarithmic) →", labelArrow: "none", domain: [1, last + 1] },
    y: { label: `count, of ${vocabulary} tokens`, domain: [0, vocabulary + 4], ticks: 5, grid: true },
    marks: [
      // A text of our own: the formatter of a logarithmic axis leaves out what is far from a power of ten.
      Plot.axisX([0, 1, 3, 10, 30, 100, 300, last], { x: (step) => step + 1, text: String }),
      ...Object.entries(lines).flatMap(([key, { label, at, dash }]) => [
        Plot.line(staircase(key), { x: ({ step }) => step + 1, y: key, strokeWidth: 2.5, strokeDasharray: dash, curve: "step-after", className: key }),
        Plot.text([at], { text: [label(counts.at(-1)[key])], textAnchor: "start", dx: key === "P" ? 70 : 0, dy: key === "unique" ? -14 : 2, className: key }),
      ]),
    ],
  });
  const add = (tag, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    svg.prepend(element);
  };
  const { dead, P, unique } = counts.at(-1);
  add("rect", { class: "card", x: "-10", y: "-10", width: "780", height: "360", rx: "6" });
  add("style", {}, colours());
  add(
    "title",
    {},
    `Over ${last} steps, tokens in black holes fall from ${counts[0].P} to ${P} and distinct rows rise from ${counts[0].unique} to ${unique}; at the end ${dead} dead tokens share one row`,
  );
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("viewBox", "-10 -10 780 360"); // room around the labels
  svg.setAttribute("role", "img");
  return `<!-- ${name}, configuration ${hash} -->\n${svg.outerHTML}\n`;
}

const scratch = mkdtempSync(join(tmpdir(), "bh-bridge-pictures-"));
try {
  const run = process.argv[2] ?? trainQuick(scratch);
  mkdirSync(join(root, "docs", "pictures"), { recursive: true });
  writeFileSync(join(root, "docs", "pictures", "quick.svg"), await drawHoles(run));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
