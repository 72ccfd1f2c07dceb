import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { drawFigure } from "../figures/draw/draw-figure.js";
import { figureStyle } from "../figures/draw/legend.js";
import { type SvgElement, svgElement } from "../figures/draw/svg.js";
import type { Figure, Mark } from "../figures/figure.js";
import { sourcesText } from "../figures/panels.js";
import { edgesOf, isExact, reduceFigure, type SmoothLine, smoothLines } from "../figures/reduce-figure.js";
import { packageRoot } from "../python/package-manifest.js";
import { escapeHtml, xmlText } from "../text/escaping.js";
import { groupDigits } from "../text/format.js";
import { type GlossaryEntry, glossary } from "../text/glossary.js";
import type { Block, Page, ReplayedRun, Section } from "./page.js";
import { packed, packedColumn, packedText } from "./replay-frames.js";
import { portableLibrary, type Retraining } from "./retraining.js";
import type { Scene } from "./story.js";

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

/** Data for the script of the page. */
interface Embedded {
  readonly figures: Figure[];
  readonly smooth: (SmoothLine | null)[][][];
  readonly replays: ReplayedRun[][];
  /** Every point of the lines that `figures` has reduced. */
  readonly exact: ExactLines;
  /** Scripts of the parts that only some reports have. */
  readonly more: { readonly elements: string[]; readonly sources: string[] };
}

/** Width of the embedded drawings: that of paper. The script lays them out for the window. */
const drawnWidth = 680;
/** Width of drawings on a phone of 390 pixels, between the margins of page and figure. */
const phoneWidth = 340;

/** A report as one self-contained HTML file, which can be read without its script. */
export function htmlOfPage(page: Page, version: string): string {
  const embedded: Embedded = { figures: [], smooth: [], replays: [], exact: { columns: [], lines: [] }, more: { elements: [], sources: [] } };
  const main = page.sections.map((each) => sectionHtml(each, embedded)).join("\n");
  const [script, style] = ["report.js", "report.css"].map((name) => readFileSync(join(packageRoot, "dist/report/browser", name), "utf8")) as [string, string];
  const { more, ...shown } = embedded;
  const sources = [sourceOf(script), ...more.sources].join(" ");
  const workers = more.sources.length > 0 ? "; worker-src blob:" : "";
  const policy = `default-src 'none'; script-src ${sources}; style-src 'unsafe-inline'; img-src data: blob:${workers}`;
  const terms = page.terms === undefined ? glossary : glossary.filter(({ key }) => page.terms?.includes(key));
  const data = { schema: "bh-bridge/report-data@1", title: page.title, verdict: page.verdict, ...page.data, ...shown };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="bh-bridge ${escapeHtml(version)}">
<title>${escapeHtml(page.title)}</title>
<style>${style}${figureStyle("auto", ".figure")}</style>
</head>
<body>
<header>
<h1>${escapeHtml(page.title)}</h1>
${verdictHtml(page)}
<dl>${page.summary.map(([label, words]) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(words)}</dd></div>`).join("")}</dl>
<nav aria-label="Sections">${[...page.sections.map(({ title }) => title), termsTitle].map((title) => `<a href="#${idOf(title)}">${escapeHtml(title)}</a>`).join(" ")}</nav>
<p class="terms">What is ${terms.map(({ key, term }) => termButton(key, term)).join(" ")}</p>
${terms.map(({ key, term, meaning }) => `<div popover id="term-${key}" class="term-note"><strong>${escapeHtml(term)}</strong> ${escapeHtml(meaning)}</div>`).join("\n")}
</header>
<main>
${main}
${termsSection(terms)}
</main>
<footer><p>Made by bh-bridge ${escapeHtml(version)} from ${escapeHtml(page.madeFrom ?? "the files of the runs")}. <button type="button" data-take="data" hidden>Save the data as JSON</button>${page.data["config"] === undefined ? "" : ' <button type="button" data-take="config" hidden>Save config.json</button>'}</p></footer>
<script type="text/plain" id="data">${packedText(JSON.stringify(data))}</script>
<script type="module">${script}</script>
${more.elements.map((element) => `${element}\n`).join("")}</body>
</html>
`;
}

/** A script for the policy of the page. */
function sourceOf(script: string): string {
  return `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
}

/** The training in the browser: its script and styles, and what it computes with. Reports of other runs have none of it. */
function retrainingHtml(retraining: Retraining, { more }: Embedded): string {
  const [script, style] = ["again.js", "again.css"].map((name) => readFileSync(join(packageRoot, "dist/report/browser", name), "utf8")) as [string, string];
  more.sources.push(sourceOf(script), "'wasm-unsafe-eval'");
  more.elements.push(
    `<script type="text/plain" id="again-data">${packedText(JSON.stringify(retraining))}</script>`,
    `<script type="text/plain" id="again-library">${packed(readFileSync(portableLibrary))}</script>`,
    `<script type="module">${script}</script>`,
  );
  const words = `Trains the first ${groupDigits(retraining.steps.at(-1) ?? 0)} steps again in this browser and compares every bit of the embedding with the recorded one. It needs no server and no network: the text of the training and engine portable as WebAssembly are part of this file.`;
  return `<style>${style}</style><p>${words}</p><div id="again"><p class="needs-script">The training requires the script of this file, which is not running.</p></div>`;
}

function verdictHtml({ verdict }: Page): string {
  if (verdict === null) return "";
  return `<p class="verdict">${termButton("verdict", verdict.result)} ${escapeHtml(verdict.reason)}</p>`;
}

const termsTitle = "Terms";

/** The glossary as a section, for paper and for readers who search the page. */
function termsSection(terms: readonly GlossaryEntry[]): string {
  const entries = terms.map(({ term, meaning }) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(meaning)}</dd></div>`);
  return `<section id="${idOf(termsTitle)}"><h2>${termsTitle}</h2><dl>${entries.join("")}</dl></section>`;
}

/** A word that opens its explanation, also without the script. */
function termButton(key: GlossaryEntry["key"], words: string): string {
  return `<button type="button" class="term" popovertarget="term-${key}">${escapeHtml(words)}</button>`;
}

function idOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

function sectionHtml({ title, folded, blocks }: Section, embedded: Embedded): string {
  const body = blocks.map((block, index) => blockHtml(block, embedded, index === 0 ? title : `${title}, ${index + 1}`)).join("\n");
  const heading = `<h2>${escapeHtml(title)}</h2>`;
  const content = folded ? `<details><summary>${heading}</summary>\n${body}\n</details>` : `${heading}\n${body}`;
  return `<section id="${idOf(title)}">${content}</section>`;
}

/** @param name tells the block from others, for readers of screens. */
function blockHtml(block: Block, embedded: Embedded, name: string): string {
  switch (block.kind) {
    case "text":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
    case "code":
      return `<pre tabindex="0"><code>${escapeHtml(block.text)}</code></pre>`;
    case "table":
      return tableHtml(block.head, block.rows, name);
    case "figure":
      return figureHtml(block.figure, embedded);
    case "story":
      return storyHtml(block.scenes);
    case "retraining":
      return retrainingHtml(block.retraining, embedded);
    case "replay":
    case "pair": {
      const at = embedded.replays.push([...block.runs]) - 1;
      const words = block.kind === "pair" ? pairText : replayText;
      return `<div class="replay-part"><p>${words}</p><div class="replay" data-${block.kind}="${at}"><p class="needs-script">The replay requires the script of this file, which is not running.</p></div></div>`;
    }
  }
}

const replayText =
  "Key frames of the training in one fixed linear view, the principal components of all steps. Marks that overlap need not be equal rows: only rows in the same black hole are. Choose a token to follow it.";

const pairText =
  "Key frames of two trainings at the same step, in one fixed linear view: the principal components of all runs together. Directions and distances mean the same in both. Marks that overlap need not be equal rows. Choose a token to follow it in both.";

/** Scenes as a list; the script adds a button to each, which moves the cursor of the page. */
function storyHtml(scenes: readonly Scene[]): string {
  const items = scenes.map(
    ({ title, step, sentences }) =>
      `<li data-step="${step}"><h3>${escapeHtml(title)} <span class="at">step ${groupDigits(step)}</span></h3><p>${sentences.map(escapeHtml).join(" ")}</p></li>`,
  );
  return `<ol class="story">${items.join("")}</ol>`;
}

const isNumber = /^[−+-]?[\d.,]+(?:e[−+-]?\d+)?$/;

function tableHtml(head: readonly string[], rows: readonly (readonly string[])[], name: string): string {
  const isOfNumbers = head.map((_, column) => column > 0 && rows.every((row) => row[column] === "" || isNumber.test(row[column] ?? "")));
  const place = (column: number) => (isOfNumbers[column] ? ' class="number"' : "");
  const headCell = (text: string, column: number) => (text === "" ? "<td></td>" : `<th scope="col"${place(column)}>${escapeHtml(text)}</th>`);
  const cell = (text: string, column: number) => (column === 0 ? `<th scope="row">${escapeHtml(text)}</th>` : `<td${place(column)}>${escapeHtml(text)}</td>`);
  const heading = head.some((text) => text !== "") ? `<thead><tr>${head.map(headCell).join("")}</tr></thead>` : "";
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("");
  return `<div class="table" tabindex="0" role="region" aria-label="Table: ${escapeHtml(name)}"><table>${heading}<tbody>${body}</tbody></table></div>`;
}

function figureHtml(whole: Figure, embedded: Embedded): string {
  const figure = roundedFigure(reduceFigure(whole));
  const index = embedded.figures.push(figure) - 1;
  addExactLines(whole, figure, index, embedded.exact);
  embedded.smooth.push(rounded(smoothLines(whole)));
  const [wide, narrow] = drawingsOf(figure, index);
  return `<figure data-figure="${index}" data-name="${escapeHtml(figure.name)}" id="figure-${index}">
<h3>${escapeHtml(figure.title)}</h3>
<div class="drawing">${wide}</div>
<noscript><div class="drawing narrow">${narrow}</div></noscript>
<figcaption>${escapeHtml(figure.caption)} <span class="source">${escapeHtml(sourcesText(figure))}</span></figcaption>
</figure>`;
}

/** A figure at the width of paper, and at that of a phone for readers without the script. Panels of equal width are embedded once and used twice. */
function drawingsOf(figure: Figure, index: number): string[] {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const [wide, narrow] = [drawnWidth, phoneWidth].map((width) => drawFigure(figure, { document, width, bare: true })) as [SvgElement, SvgElement];
  const panels = [...wide.querySelectorAll("svg[data-panel]")];
  if (panels.length > 1) {
    for (const [at, panel] of [...narrow.querySelectorAll("svg[data-panel]")].entries()) {
      const drawn = panels[at];
      if (!drawn) continue;
      const id = `panel-${index}-${at}`;
      drawn.setAttribute("id", id);
      drawn.setAttribute("class", "figure");
      const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(drawn.getAttribute(name)));
      panel.setAttribute("viewBox", `0 0 ${width} ${height}`);
      panel.textContent = "";
      panel.append(svgElement(document, "use", { href: `#${id}`, x: -(x ?? 0), y: -(y ?? 0) }));
    }
  }
  return [wide, narrow].map((svg) => compactSvg(xmlText(svg.outerHTML)));
}

const digits = 6;
/** Edges of stacked areas have more, because a reader is shown their difference. */
const digitsOfEdges = 9;

function digitsOf(mark: Mark): number {
  return mark.mark === "band" && mark.solid ? digitsOfEdges : digits;
}

function roundedFigure(figure: Figure): Figure {
  return { ...figure, panels: figure.panels.map((panel) => ({ ...rounded(panel), marks: panel.marks.map((mark) => rounded(mark, digitsOf(mark))) })) };
}

function rounded<Value>(data: Value, most = digits): Value {
  return JSON.parse(
    JSON.stringify(data, (_key, value: unknown) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(most)) : value)),
  ) as Value;
}

/** Every point of some lines and stacked areas. Each column is packed by `packedColumn`. */
export interface ExactLines {
  readonly columns: string[];
  /** Columns of the positions and the values of a mark: one of a line, the lower and the upper edge of an area. */
  readonly lines: { readonly figure: number; readonly panel: number; readonly mark: number; readonly x: number; readonly y: readonly number[] }[];
}

/** Maximum size of the columns of straight lines in a report. Staircases of counts take little room and are always complete. */
const mostOfColumns = 600_000;

/** Add the lines and areas of a figure that have lost points. */
function addExactLines(whole: Figure, reduced: Figure, figure: number, { columns, lines }: ExactLines): void {
  const columnOf = (values: readonly (number | null)[], most: number, mayBeLeftOut: boolean): number | undefined => {
    const packed = packedColumn(values, most);
    const known = columns.indexOf(packed);
    if (known >= 0) return known;
    const size = columns.reduce((sum, { length }) => sum + length, packed.length);
    return mayBeLeftOut && size > mostOfColumns ? undefined : columns.push(packed) - 1;
  };
  for (const [panel, { marks }] of whole.panels.entries()) {
    for (const [mark, line] of marks.entries()) {
      const drawn = reduced.panels[panel]?.marks[mark];
      if (!isExact(line) || drawn?.mark !== line.mark || drawn.x.length === line.x.length) continue;
      const y = edgesOf(line).map((values) => columnOf(values, digitsOf(line), line.curve === "straight"));
      const x = y.includes(undefined) ? undefined : columnOf(line.x, digits, false);
      if (x !== undefined) lines.push({ figure, panel, mark, x, y: y.filter((column) => column !== undefined) });
    }
  }
}
