import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { figureStyle } from "../../../src/figures/draw/legend.js";
import type { StepCursor, TokenChanges } from "../../shared/step-cursor.js";
import { paperWidth } from "../printing.js";
import { getText, textAtOnce, useAnswer } from "../server.js";
import "./served-figure.css";

// The page allows no inline styles, so the colours of figures are a sheet of its own.
const colours = new CSSStyleSheet();
colours.replaceSync(
  `.served-figure{${figureStyle("light", "&")}}@media screen{:root[data-theme="dark"] .served-figure{${figureStyle("dark", "&")}}}:root[data-theme] .served-figure .ground{fill:none}:root[data-theme] .served-figure .halo{stroke:var(--panel)}`,
);
document.adoptedStyleSheets.push(colours);

/** Space between the edge of a panel and its drawing, on both sides together. */
const paperPadding = 34;

interface ServedFigureProps {
  /** The address of the figure in the API, with its name. */
  address: string;
  /** The figure is read again when it changes. */
  turn: unknown;
  /** What to reserve room for before it is there: the height of the drawing at a width, and the characters of title and caption. */
  room: { height(width: number): number; title: number; caption: number };
  /** The step that all charts share, for figures over a logarithmic axis of steps. */
  cursor?: StepCursor;
  /** Further steps to mark. */
  changes?: TokenChanges;
}

interface Drawing {
  readonly title: string;
  readonly caption: string;
  readonly svg: SVGSVGElement;
}

/** A figure as the server draws it for the width of this page, with its title, its caption, and the step of the cursor. */
export function ServedFigure({ address, turn, room, cursor, changes }: ServedFigureProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidthOf(frame);
  const { drawing, problem } = useDrawing(width === 0 ? null : `${address}&as=drawing&width=${width}`, turn);
  const paper = useRef<HTMLDivElement>(null);
  const hasPaper = drawing !== undefined && width > paperWidth;
  const paperAddress = `${address}&as=drawing&width=${paperWidth - paperPadding}`;
  const { drawing: onPaper } = useDrawing(hasPaper ? paperAddress : null, turn);
  useEffect(() => {
    if (onPaper) paper.current?.replaceChildren(onPaper.svg);
  }, [onPaper]);
  useEffect(() => (hasPaper ? drawBeforePrint(paper, paperAddress) : undefined), [hasPaper, paperAddress]);
  useLayoutEffect(() => {
    if (drawing) frame.current?.replaceChildren(drawing.svg);
  }, [drawing]);
  useEffect(() => (drawing && cursor ? showStep(drawing.svg, cursor) : undefined), [drawing, cursor]);
  useEffect(() => (drawing && changes ? showChanges(drawing.svg, changes) : undefined), [drawing, changes]);
  const reserved = (height: number) => (drawing || width === 0 ? {} : { minHeight: `${height}px` });
  return (
    <figure class="panel served-figure">
      <h3 style={reserved(linesOf(room.title, width, 9) * 20)}>{drawing?.title ?? "Reading the figure …"}</h3>
      <div ref={frame} class={cursor ? "drawing steps" : "drawing"} style={reserved(room.height(width))} />
      {hasPaper && <div ref={paper} class="drawing paper-drawing" />}
      {problem && <p class="note">{problem}</p>}
      <figcaption style={reserved((linesOf(room.caption, width, 7) + 1) * 20)}>
        {drawing?.caption}
        <span class="saves">
          {["svg", "png", "csv"].map((kind) => (
            <a key={kind} href={`${address}&as=${kind}`} download>
              {kind.toUpperCase()}
            </a>
          ))}
        </span>
      </figcaption>
    </figure>
  );
}

/** Lines of a text. @param size approximate width of a character. */
function linesOf(characters: number, width: number, size: number): number {
  return Math.ceil((characters * size) / Math.max(1, width));
}

/** The width of an element, in steps of 20 pixels, so that a figure is not drawn again for every pixel. */
function useWidthOf(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    if (!element.current) return;
    setWidth(drawnWidth(element.current.clientWidth));
    const observer = new ResizeObserver(([entry]) => setWidth(drawnWidth(entry?.contentRect.width ?? 0)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

const drawnWidth = (width: number) => Math.max(280, Math.floor(width / 20) * 20);

/** Milliseconds between two readings of a figure that changes with every step. */
const pause = 5000;

const readDrawing = async (path: string, signal: AbortSignal) => drawingOf(await getText(path, signal));

function useDrawing(path: string | null, turn: unknown): { drawing: Drawing | undefined; problem: string | undefined } {
  const { value, problem } = useAnswer(path, turn, readDrawing, pause);
  return { drawing: value, problem };
}

/** Draw a figure for paper before the page is printed, if it is not there yet: that of the window has smaller text there. */
function drawBeforePrint(place: { readonly current: HTMLElement | null }, path: string): () => void {
  const draw = () => {
    const text = place.current?.hasChildNodes() === false ? textAtOnce(path) : undefined;
    if (text !== undefined) place.current?.replaceChildren(drawingOf(text).svg);
  };
  window.addEventListener("beforeprint", draw);
  return () => window.removeEventListener("beforeprint", draw);
}

function drawingOf(text: string): Drawing {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const svg = document.importNode(parsed, true) as unknown as SVGSVGElement;
  const [title, caption] = ["title", "desc"].map((name) => svg.querySelector(`:scope > ${name}`)?.textContent ?? "");
  svg.querySelector(":scope > title")?.remove(); // a tooltip over the whole figure; the heading has it
  svg.setAttribute("aria-label", title ?? "");
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  return { title: title ?? "", caption: caption ?? "", svg };
}

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly last: number;
}

function frameOf(panel: SVGSVGElement): Frame {
  const [left = 0, right = 0, top = 0, bottom = 0, last = 0] = ["left", "right", "top", "bottom", "x1"].map((name) =>
    Number(panel.getAttribute(`data-${name}`)),
  );
  return { left, right, top, bottom, last };
}

function lineIn(panel: SVGSVGElement, kind: string): SVGLineElement {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  line.setAttribute("class", kind);
  panel.append(line);
  return line;
}

function placeLine(line: SVGLineElement, { left, right, top, bottom, last }: Frame, step: number): void {
  const x = left + ((right - left) * Math.log1p(Math.min(step, last))) / Math.log1p(last);
  for (const [name, value] of Object.entries({ x1: x, x2: x, y1: top, y2: bottom })) line.setAttribute(name, String(value));
}

/** Mark steps in every panel. @returns a function that ends it. */
function showChanges(svg: SVGSVGElement, changes: TokenChanges): () => void {
  const panels = [...svg.querySelectorAll<SVGSVGElement>("svg[data-panel]")];
  const clear = () => {
    for (const line of svg.querySelectorAll(".change-line")) line.remove();
  };
  const show = (steps: readonly number[]) => {
    clear();
    for (const panel of panels) for (const step of steps) placeLine(lineIn(panel, "change-line"), frameOf(panel), step);
  };
  show(changes.value);
  const end = changes.listen(show);
  return () => {
    end();
    clear();
  };
}

/** Show the step of the cursor as a line in every panel; a click moves it, as the keys of the charts do. @returns a function that ends it. */
function showStep(svg: SVGSVGElement, cursor: StepCursor): () => void {
  const panels = [...svg.querySelectorAll<SVGSVGElement>("svg[data-panel]")].map((panel) => {
    const line = lineIn(panel, "step-line");
    return { line, ...frameOf(panel) };
  });
  const show = (step: number | null) => {
    for (const { line, ...frame } of panels) {
      placeLine(line, frame, step ?? 0);
      line.setAttribute("visibility", step === null ? "hidden" : "visible");
    }
  };
  show(cursor.value);
  const end = cursor.listen(show);
  const move = ({ clientX, clientY }: MouseEvent) => {
    const step = stepAt(svg, clientX, clientY);
    if (step !== undefined) cursor.value = step;
  };
  svg.addEventListener("click", move);
  return () => {
    end();
    svg.removeEventListener("click", move);
    for (const { line } of panels) line.remove();
  };
}

/** The step at a place of the window; undefined outside all panels. */
function stepAt(svg: SVGSVGElement, clientX: number, clientY: number): number | undefined {
  for (const panel of svg.querySelectorAll<SVGSVGElement>("svg[data-panel]")) {
    const matrix = panel.getScreenCTM();
    if (!matrix) continue;
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
    const { left, right, top, bottom, last } = frameOf(panel);
    if (x < left || x > right || y < top || y > bottom) continue;
    return Math.round(Math.expm1((Math.log1p(last) * (x - left)) / (right - left)));
  }
  return undefined;
}
