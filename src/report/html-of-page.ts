import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { drawFigure } from "../figures/draw/draw-figure.js";
import { figureStyle } from "../figures/draw/legend.js";
import type { Figure } from "../figures/figure.js";
import { reduceFigure, type SmoothLine, smoothLines } from "../figures/reduce-figure.js";
import { packageRoot } from "../python/package-root.js";
import { xmlText } from "../text/printable.js";
import { compactSvg } from "./compact-svg.js";
import { escapeHtml } from "./escape-html.js";
import { packedText } from "./packed.js";
import type { Block, Page, ReplayedRun, Section } from "./page.js";
import { pageStyle } from "./page-style.js";

/** What the page's script is given beside the page itself. */
interface Embedded {
  readonly figures: Figure[];
  /** Of each figure, by panel and mark. */
  readonly smooth: (SmoothLine | null)[][][];
  readonly replays: ReplayedRun[][];
}

const drawnWidth = 860;

/** A report as one HTML file that needs nothing else: no network, no other file. Its script adds to what can be read without it. */
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
      return `<div class="replay" data-replay="${embedded.replays.push([...block.runs]) - 1}"><p class="needs-script">The replay needs this file's script, which is not running here.</p></div>`;
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

/** Digits that a reader of the page can use; the run has them all. */
const digits = 6;

function rounded<Value>(data: Value): Value {
  return JSON.parse(
    JSON.stringify(data, (_key, value: unknown) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(digits)) : value)),
  ) as Value;
}
