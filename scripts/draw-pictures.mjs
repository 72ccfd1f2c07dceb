// The pictures of README and docs, from a real run: `npm run docs:pictures` trains the preset quick on one thread, or `-- RUN` takes a run that is there.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

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

/** Distinct rows and tokens in black holes over the steps of a run, on a logarithmic axis that begins at step 1. */
function drawHoles(run) {
  const { timeline, steps } = read(run, "analysis.json");
  const { corpus, config_hash: hash, name } = read(run, "run.json");
  const vocabulary = read(run, "config.json").model.vocab_size;
  const at = (state) => (steps?.[state] ?? state) + 1;
  // Steps at which nothing changes add nothing to a staircase.
  const series = (values) =>
    values.flatMap((value, state) => (state === 0 || state === values.length - 1 || value !== values[state - 1] ? [{ step: at(state), value }] : []));
  const [unique, population] = [series(timeline.unique), series(timeline.P)];
  const last = at(timeline.P.length - 1);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    document,
    width: 760,
    height: 340,
    marginLeft: 56,
    marginRight: 30,
    marginBottom: 42,
    style: { fontFamily: "system-ui, sans-serif", fontSize: "13px", background: "#fff", color: "#222" },
    x: { type: "log", label: "training step + 1", domain: [1, last] },
    y: { label: `tokens of ${vocabulary}`, domain: [0, vocabulary + 4], ticks: 5, grid: true },
    marks: [
      Plot.axisX([1, 3, 10, 30, 100, 300, last], { tickFormat: String }),
      Plot.ruleY([corpus.dead], { stroke: "#888", strokeDasharray: "2,4" }),
      Plot.text([[40, corpus.dead]], { text: [`${corpus.dead} dead tokens`], textAnchor: "start", dy: 12, fill: "#555" }),
      Plot.line(population, { x: "step", y: "value", stroke: "#1f4e8c", strokeWidth: 2.5, curve: "step-after" }),
      Plot.line(unique, { x: "step", y: "value", stroke: "#b4561b", strokeWidth: 2.5, strokeDasharray: "7,4", curve: "step-after" }),
      Plot.text([[2.15, vocabulary]], { text: ["P: tokens in black holes"], textAnchor: "start", dy: 6, fill: "#1f4e8c" }),
      Plot.text([[60, 74]], { text: ["distinct rows"], textAnchor: "start", dy: -8, fill: "#b4561b" }),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Tokens in black holes and distinct rows over the steps of ${name}`);
  return `<!-- ${name}, configuration ${hash} -->\n${svg.outerHTML}\n`;
}

const scratch = mkdtempSync(join(tmpdir(), "bh-bridge-pictures-"));
try {
  const run = process.argv[2] ?? trainQuick(scratch);
  mkdirSync(join(root, "docs", "pictures"), { recursive: true });
  writeFileSync(join(root, "docs", "pictures", "quick.svg"), drawHoles(run));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
