import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { drawFigure } from "../figures/draw/draw-figure.js";
import { figureStyle } from "../figures/draw/legend.js";
import type { Figure } from "../figures/figure.js";
import { reduceFigure, type SmoothLine, smoothLines } from "../figures/reduce-figure.js";
import { packageRoot } from "../python/package-manifest.js";
import { escapeHtml, xmlText } from "../text/escaping.js";
import type { Block, Page, ReplayedRun, Section } from "./page.js";
import { packedText } from "./replay-frames.js";

/** Shorter paths are marks and stay unchanged. */
const fewestNumbers = 24;
/** Paths are rounded to tenths of a pixel. */
const perPixel = 10;

type Point = { readonly x: number; readonly y: number };

/** Rewrite long paths of straight lines in an SVG with relative coordinates, which takes a third of the space. */
export function compactSvg(svg: string): string {
  return svg.replaceAll(/<[^>]*>/g, (tag) =>
    tag.replace(/ d="([^"]*)"/, (_, path: string) => ` d="${compactPath(path)}"`).replaceAll(/(\d\.\d\d)\d{2,}/g, "$1"),
  );
}

/** Make a path of absolute M, L, H, V and Z relative; other paths stay unchanged. */
function compactPath(path: string): string {
  const parts = path.match(/[A-Za-z]|-?[\d.]+(?:e-?\d+)?/g) ?? [];
  if (parts.length < fewestNumbers || !/^[MLHVZ\d.,\s-]*$/.test(path)) return path;
  const written: string[] = [];
  let along: Point = { x: 0, y: 0 };
  const flush = () => {
    written.push(lineTo(along.x, along.y));
    along = { x: 0, y: 0 };
  };
  let at: Point = { x: 0, y: 0 };
  let start = at;
  const tenths = (text: string | undefined) => Math.round(Number(text) * perPixel);
  for (let next = 0; next < parts.length; ) {
    const command = parts[next++];
    if (command === "Z") {
      flush();
      written.push("z");
      at = start;
    }
    while (next < parts.length && !/[A-Za-z]/.test(parts[next] ?? "")) {
      const x = command === "V" ? at.x : tenths(parts[next++]);
      const y = command === "H" ? at.y : tenths(parts[next++]);
      const by = { x: x - at.x, y: y - at.y };
      if (command === "M" || !continues(along, by)) flush();
      if (command === "M") written.push(`m${pair(by.x, by.y)}`);
      else along = { x: along.x + by.x, y: along.y + by.y };
      at = { x, y };
      if (command === "M") start = at;
    }
  }
  flush();
  return `M0 0${written.join("")}`;
}

/** Whether a move continues the previous one along the same axis in the same direction. */
function continues(along: Point, by: Point): boolean {
  return (along.x === 0 && by.x === 0 && along.y * by.y >= 0) || (along.y === 0 && by.y === 0 && along.x * by.x >= 0);
}

function lineTo(across: number, down: number): string {
  if (across === 0 && down === 0) return "";
  if (down === 0) return `h${pixels(across)}`;
  return across === 0 ? `v${pixels(down)}` : `l${pair(across, down)}`;
}

/** Two numbers; a minus needs no space before it. */
function pair(across: number, down: number): string {
  return `${pixels(across)}${down < 0 ? "" : " "}${pixels(down)}`;
}

function pixels(tenths: number): string {
  return String(tenths / perPixel).replace(/^(-?)0\./, "$1.");
}

/** The style sheet of a report: one column for screen and paper, light or dark as the reader's system. */
const pageStyle = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1f2328;--quiet:#57606a;--line:#d0d7de;--soft:#f6f8fa;--accent:#0a58ca}
@media screen and (prefers-color-scheme:dark){:root{--ground:#0d1117;--ink:#dfe3e8;--quiet:#9da7b1;--line:#30363d;--soft:#161b22;--accent:#7db3f2}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:58rem;padding:1.5rem 1rem 4rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{margin:0 0 .5rem;font-size:1.7rem;overflow-wrap:anywhere}h2{font-size:1.3rem;margin:2.2rem 0 .6rem}h3{font-size:1rem;margin:0 0 .3rem}
a{color:var(--accent)}p,ul{max-width:46rem}
.verdict{padding:.7rem 1rem;border-left:.35rem solid var(--accent);background:var(--soft);max-width:none}.verdict strong{margin-right:.5rem;text-transform:capitalize}
dl{margin:1rem 0;display:grid;gap:.3rem}dl div{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.8rem}dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;padding:.6rem 0;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
figure{margin:1.4rem 0 2rem;padding:1rem;border:1px solid var(--line);border-radius:.4rem;position:relative}
.drawing{position:relative}.drawing>svg{display:block;width:100%;height:auto;overflow:visible}.drawing .ground{fill:none}.drawing .halo{stroke:var(--ground)}
figcaption{font-size:.85rem;color:var(--quiet);margin-top:.5rem}.source{overflow-wrap:anywhere}
.table{overflow-x:auto;margin:.6rem 0}table{border-collapse:collapse;font-size:.9rem}th,td{padding:.25rem .7rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:600;white-space:nowrap}tbody th{font-weight:500}th.number,td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
pre{padding:.8rem 1rem;background:var(--soft);border:1px solid var(--line);border-radius:.4rem;overflow-x:auto;font-size:.85rem}
summary{cursor:pointer}summary h2{display:inline}details{margin:1.6rem 0}
button,select,input{font:inherit}button{padding:.15rem .6rem;border:1px solid var(--line);border-radius:.3rem;background:var(--soft);color:inherit;cursor:pointer}button[aria-pressed=true]{background:var(--accent);color:var(--ground)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.tools{display:flex;flex-wrap:wrap;gap:.4rem;margin:.3rem 0;font-size:.85rem}
.tip{position:absolute;pointer-events:none;padding:.3rem .5rem;background:var(--ground);border:1px solid var(--line);border-radius:.3rem;font-size:.8rem;white-space:pre;z-index:2;box-shadow:0 1px 4px #0003}
.cursor{stroke:var(--accent);stroke-width:1;pointer-events:none}.selection{fill:var(--accent);fill-opacity:.15;pointer-events:none}
.replay canvas{display:block;width:100%;border:1px solid var(--line);border-radius:.4rem;touch-action:none}
.controls{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:.5rem 0}.controls input[type=range]{flex:1 1 14rem}.controls output{min-width:16rem;font-variant-numeric:tabular-nums}
footer{margin-top:3rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.85rem}
@media print{:root{color-scheme:light;--ground:#fff;--ink:#000;--quiet:#444;--line:#ccc;--soft:#fff}html{font-size:9.5pt}body{max-width:none;padding:0;font-size:9.5pt}nav,.tools,.tip,.cursor,#replay,footer button{display:none!important}figure{break-inside:avoid;border:0;padding:0;margin:.8rem 0}tr,dl div{break-inside:avoid}h2,h3,section>p{break-after:avoid}h2{margin-top:1.4rem}summary{list-style:none}a{color:inherit}}
@media (max-width:36rem){dl div{grid-template-columns:1fr;gap:0}figure{padding:.5rem}}
`;

/** Data for the script of the page. */
interface Embedded {
  readonly figures: Figure[];
  readonly smooth: (SmoothLine | null)[][][];
  readonly replays: ReplayedRun[][];
}

const drawnWidth = 860;

/** A report as one self-contained HTML file, which can be read without its script. */
export function htmlOfPage(page: Page, version: string): string {
  const embedded: Embedded = { figures: [], smooth: [], replays: [] };
  const main = page.sections.map((each) => sectionHtml(each, embedded)).join("\n");
  const script = readFileSync(join(packageRoot, "dist/report/browser/report.js"), "utf8");
  const allowed = createHash("sha256").update(script).digest("base64");
  const policy = `default-src 'none'; script-src 'sha256-${allowed}'; style-src 'unsafe-inline'; img-src data: blob:`;
  const data = { schema: "bh-bridge/report-data@1", title: page.title, verdict: page.verdict, ...page.data, ...embedded };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="bh-bridge ${escapeHtml(version)}">
<title>${escapeHtml(page.title)}</title>
<style>${pageStyle}${figureStyle("auto", ".figure")}</style>
</head>
<body>
<header>
<h1>${escapeHtml(page.title)}</h1>
${verdictHtml(page)}
<dl>${page.summary.map(([label, words]) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(words)}</dd></div>`).join("")}</dl>
<nav aria-label="Sections">${page.sections.map(({ title }) => `<a href="#${idOf(title)}">${escapeHtml(title)}</a>`).join(" ")}</nav>
</header>
<main>
${main}
</main>
<footer><p>Made by bh-bridge ${escapeHtml(version)} from the files of the runs. <button type="button" data-take="data" hidden>Save the data as JSON</button>${page.data["config"] === undefined ? "" : ' <button type="button" data-take="config" hidden>Save config.json</button>'}</p></footer>
<script type="text/plain" id="data">${packedText(JSON.stringify(data))}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

function verdictHtml({ verdict }: Page): string {
  if (verdict === null) return "";
  return `<p class="verdict"><strong>${escapeHtml(verdict.result)}</strong> ${escapeHtml(verdict.reason)}</p>`;
}

function idOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

function sectionHtml({ title, folded, blocks }: Section, embedded: Embedded): string {
  const body = blocks.map((block) => blockHtml(block, embedded)).join("\n");
  const heading = `<h2>${escapeHtml(title)}</h2>`;
  const content = folded ? `<details><summary>${heading}</summary>\n${body}\n</details>` : `${heading}\n${body}`;
  return `<section id="${idOf(title)}">${content}</section>`;
}

function blockHtml(block: Block, embedded: Embedded): string {
  switch (block.kind) {
    case "text":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
    case "code":
      return `<pre tabindex="0"><code>${escapeHtml(block.text)}</code></pre>`;
    case "table":
      return tableHtml(block.head, block.rows);
    case "figure":
      return figureHtml(block.figure, embedded);
    case "replay":
      return `<div class="replay" data-replay="${embedded.replays.push([...block.runs]) - 1}"><p class="needs-script">The replay requires the script of this file, which is not running.</p></div>`;
  }
}

const isNumber = /^[−+-]?[\d.,]+(?:e[−+-]?\d+)?$/;

function tableHtml(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isOfNumbers = head.map((_, column) => column > 0 && rows.every((row) => row[column] === "" || isNumber.test(row[column] ?? "")));
  const place = (column: number) => (isOfNumbers[column] ? ' class="number"' : "");
  const headCell = (text: string, column: number) => (text === "" ? "<td></td>" : `<th scope="col"${place(column)}>${escapeHtml(text)}</th>`);
  const cell = (text: string, column: number) => (column === 0 ? `<th scope="row">${escapeHtml(text)}</th>` : `<td${place(column)}>${escapeHtml(text)}</td>`);
  const heading = head.some((text) => text !== "") ? `<thead><tr>${head.map(headCell).join("")}</tr></thead>` : "";
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("");
  return `<div class="table" tabindex="0" role="region" aria-label="table"><table>${heading}<tbody>${body}</tbody></table></div>`;
}

function figureHtml(whole: Figure, embedded: Embedded): string {
  const figure = rounded(reduceFigure(whole));
  const index = embedded.figures.push(figure) - 1;
  embedded.smooth.push(rounded(smoothLines(whole)));
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = compactSvg(xmlText(drawFigure(figure, { document, width: drawnWidth, bare: true }).outerHTML));
  const sources = figure.sources.map(({ name, hash }) => `${name} (${hash.slice(0, 12)})`).join(", ");
  return `<figure data-figure="${index}" id="figure-${index}">
<h3>${escapeHtml(figure.title)}</h3>
<div class="drawing">${svg}</div>
<figcaption>${escapeHtml(figure.caption)} <span class="source">Data: ${escapeHtml(sources)}</span></figcaption>
</figure>`;
}

const digits = 6;

function rounded<Value>(data: Value): Value {
  return JSON.parse(
    JSON.stringify(data, (_key, value: unknown) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(digits)) : value)),
  ) as Value;
}
