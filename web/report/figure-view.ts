import { csvOfFigure } from "../../src/figures/csv-of-figure.js";
import { drawFigure } from "../../src/figures/draw/draw-figure.js";
import { extentOf, shareOf } from "../../src/figures/draw/extent.js";
import { figureStyle } from "../../src/figures/draw/legend.js";
import type { Figure, Mark, Panel } from "../../src/figures/figure.js";
import { sourcesText, stepLabel } from "../../src/figures/panels.js";
import type { SmoothLine } from "../../src/figures/reduce-figure.js";
import type { RunClock } from "../../src/runs/run-clock.js";
import type { StepCursor } from "../shared/shared-value.js";
import { clockAxis, clockWords } from "./clock-axis.js";
import { takeKeys } from "./figure-keys.js";
import { inside } from "./inside.js";
import { locationOf, numbersOf, type Place, placeAtShare } from "./place.js";
import { rowsOf } from "./rows.js";
import { saveText } from "./save.js";
import { valuesAt } from "./values-at.js";

const svgNamespace = "http://www.w3.org/2000/svg";
/** Width of a figure on paper: A4 within the margins of the style sheet, in pixels of CSS. Reports embed drawings of this width. */
const paperWidth = 680;
const narrowest = 260;
/** A shorter drag is a click. */
const leastDrag = 6;

const smoothing = "Exponential mean over about a hundredth of the line, without the bias of its beginning; the raw line stays behind";

/** Lines as they are: what is smoothed is decided by the reader. */
function plain(marks: readonly Mark[]): Mark[] {
  return marks.map((mark) => (mark.mark === "line" ? { ...mark, smooth: false } : mark));
}

/** Raw lines faint, and each one's smoothed line over it. */
function withSmooth(marks: readonly Mark[], lines: readonly (SmoothLine | null)[]): Mark[] {
  const raw = marks.map((mark, index): Mark => (mark.mark === "line" && lines[index] ? { ...mark, thin: true } : mark));
  const over = marks.flatMap((mark, index): Mark[] => {
    const line = lines[index];
    return mark.mark === "line" && line ? [{ ...mark, ...line }] : [];
  });
  return [...raw, ...over];
}

/** What the axis of steps is read by, where that is not the step. */
interface Reading {
  readonly clock: RunClock;
  readonly by: "epochs" | "seconds";
}

/** The smoothed lines of a figure, by panel and mark; null where there is none. */
export type SmoothFigure = readonly (readonly (SmoothLine | null)[])[];

/** A figure of the page that answers: values under the pointer, a shared cursor, zoom, smoothing, and its files. */
export class FigureView {
  readonly #element: HTMLElement;
  #figure: Figure;
  readonly #smooth: SmoothFigure;
  readonly #cursor: StepCursor;
  readonly #drawing: HTMLElement;
  readonly #tip: HTMLElement;
  #zoom: [number, number] | null = null;
  #log: boolean | null = null;
  #isSmooth: boolean;
  #reading: Reading | null = null;
  /** The width that the drawing was laid out for. */
  #width = paperWidth;
  #isPrinted = false;
  #drag: { place: Place; from: number; mark: SVGRectElement } | null = null;

  constructor(element: HTMLElement, figure: Figure, smooth: SmoothFigure, cursor: StepCursor) {
    this.#element = element;
    this.#figure = figure;
    this.#smooth = smooth;
    this.#cursor = cursor;
    cursor.listen((step) => this.#showCursor(step));
    this.#isSmooth = figure.panels.some(({ marks }) => marks.some((mark) => mark.mark === "line" && mark.smooth === true));
    this.#drawing = element.querySelector<HTMLElement>(".drawing") ?? element;
    this.#tip = document.createElement("div");
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    this.#drawing.append(this.#tip);
    this.#drawing.addEventListener("pointermove", (event) => this.#onMove(event));
    this.#drawing.addEventListener("pointerdown", (event) => this.#onDown(event));
    this.#drawing.addEventListener("pointerup", (event) => this.#onUp(event));
    this.#drawing.addEventListener("pointerleave", () => this.#leave());
    this.#drawing.addEventListener("dblclick", () => this.#setZoom(null));
    if (this.#hasSteps) {
      this.#tip.setAttribute("role", "status");
      takeKeys(this.#drawing, figure.title, {
        placeAt: (share) => placeAtShare(this.#drawing, this.#shown(), share),
        pointAt: (place, x, y) => this.#pointAt(place, x, y),
        zoom: (steps) => this.#setZoom(steps),
        leave: () => this.#leave(),
      });
    }
    element.querySelector("h3")?.after(this.#tools());
    new ResizeObserver(() => {
      const { top, bottom } = element.getBoundingClientRect();
      if (bottom > 0 && top < innerHeight) this.#fit();
      else requestIdleCallback(() => this.#fit());
    }).observe(this.#drawing);
  }

  /** Lay the figure out for the width that the page gives it. */
  #fit(): void {
    const width = Math.max(narrowest, Math.floor(this.#drawing.clientWidth));
    if (this.#isPrinted || Math.abs(width - this.#width) < 2) return;
    this.#width = width;
    this.#draw();
  }

  get name(): string {
    return this.#figure.name;
  }

  /** Show other data, with the caption that names them. */
  show(changed: Partial<Figure>): void {
    this.#figure = { ...this.#figure, ...changed };
    const source = document.createElement("span");
    source.className = "source";
    source.textContent = sourcesText(this.#figure);
    this.#element.querySelector("figcaption")?.replaceChildren(`${this.#figure.caption} `, source);
    this.#draw();
  }

  /** Lay the figure out for paper, or for the window again. */
  print(isPrinted: boolean): void {
    this.#width = isPrinted ? paperWidth : Math.max(narrowest, Math.floor(this.#drawing.clientWidth));
    this.#isPrinted = isPrinted;
    this.#draw();
  }

  get #hasSteps(): boolean {
    return this.#figure.panels.some(({ x }) => x.label === stepLabel);
  }

  #tools(): HTMLElement {
    const tools = document.createElement("div");
    tools.className = "tools";
    const add = (name: string, act: (button: HTMLButtonElement) => void): HTMLButtonElement => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => act(button));
      tools.append(button);
      return button;
    };
    const addSwitch = (name: string, isOn: boolean, set: (isOn: boolean) => void) => {
      const press = (button: HTMLButtonElement, to: boolean) => button.setAttribute("aria-pressed", String(to));
      const button = add(name, () => {
        const to = button.getAttribute("aria-pressed") !== "true";
        press(button, to);
        set(to);
        this.#draw();
      });
      press(button, isOn);
      return button;
    };
    if (this.#hasSteps) {
      const isLog = this.#figure.panels.every(({ x }) => x.label !== stepLabel || x.scale === "symlog");
      addSwitch("Log steps", isLog, (to) => {
        this.#log = to;
      });
      add("Whole", () => this.#setZoom(null));
    }
    if (this.#smooth.some((lines) => lines.some((line) => line !== null))) {
      addSwitch("Smooth", this.#isSmooth, (to) => {
        this.#isSmooth = to;
      }).title = smoothing;
    }
    add("SVG", () => saveText(`${this.#figure.name}.svg`, "image/svg+xml", this.#svg().outerHTML));
    add("CSV", () => saveText(`${this.#figure.name}.csv`, "text/csv", csvOfFigure(this.#figure)));
    return tools;
  }

  /** Complete in itself. */
  #svg(): Element {
    return drawFigure(this.#labelled(), { document, style: figureStyle("auto") }) as unknown as Element;
  }

  /** The figure as it is looked at: its steps zoomed and scaled. */
  #shown(): Figure {
    const shownPanel = (panel: Panel, index: number): Panel => {
      if (panel.x.label !== stepLabel) return panel;
      const marks = this.#isSmooth ? withSmooth(plain(panel.marks), this.#smooth[index] ?? []) : plain(panel.marks);
      const scale = this.#log === null || panel.marks.some(({ mark }) => mark === "cells") ? panel.x.scale : this.#log ? "symlog" : "linear";
      return { ...panel, x: { ...panel.x, scale, domain: this.#zoom ?? panel.x.domain }, marks: this.#zoom ? inside(marks, this.#zoom) : marks };
    };
    return { ...this.#figure, panels: this.#figure.panels.map(shownPanel) };
  }

  /** What is shown, with the ticks that the axis of steps is read by. */
  #labelled(): Figure {
    const shown = this.#shown();
    const reading = this.#reading;
    if (!reading) return shown;
    const labelled = (panel: Panel): Panel =>
      panel.x.label === stepLabel ? { ...panel, x: clockAxis(panel.x, reading.clock, reading.by, extentOf(panel, "x")) } : panel;
    return { ...shown, panels: shown.panels.map(labelled) };
  }

  /** Read the axis of steps by epochs or time; null for steps. */
  readBy(reading: Reading | null): void {
    this.#reading = reading;
    if (this.#hasSteps) this.#draw();
  }

  #draw(): void {
    const svg = drawFigure(this.#labelled(), { document, width: this.#width, bare: true }) as unknown as Element;
    for (const old of this.#drawing.querySelectorAll(":scope > svg")) old.remove();
    this.#drawing.prepend(...(this.#isPrinted ? rowsOf(svg) : [svg]));
    this.#showCursor(this.#cursor.value);
  }

  #setZoom(zoom: [number, number] | null): void {
    this.#zoom = zoom;
    this.#draw();
  }

  #onDown(event: PointerEvent): void {
    const place = locationOf(this.#drawing, this.#shown(), event);
    if (!place || event.button !== 0 || place.panel.x.label !== stepLabel) return;
    const mark = document.createElementNS(svgNamespace, "rect");
    mark.setAttribute("class", "selection");
    place.svg.append(mark);
    this.#drag = { place, from: place.px, mark };
  }

  #onUp(event: PointerEvent): void {
    const drag = this.#drag;
    this.#drag = null;
    drag?.mark.remove();
    const end = drag && locationOf(this.#drawing, this.#shown(), event);
    if (!drag || !end || Math.abs(end.px - drag.from) < leastDrag) return;
    const [low = 0, high = 1] = [drag.place.x, end.x].sort((a, b) => a - b);
    if (high > low) this.#setZoom([low, high]);
  }

  #onMove(event: PointerEvent): void {
    const place = locationOf(this.#drawing, this.#shown(), event);
    if (!place) {
      this.#leave();
      return;
    }
    if (this.#drag) {
      const left = Math.min(place.px, this.#drag.from);
      this.#drag.mark.setAttribute("x", String(left));
      this.#drag.mark.setAttribute("y", String(place.top));
      this.#drag.mark.setAttribute("width", String(Math.abs(place.px - this.#drag.from)));
      this.#drag.mark.setAttribute("height", String(place.bottom - place.top));
    }
    this.#pointAt(place, event.clientX, event.clientY);
  }

  /** Show the values at a place beside a point of the window, and its step everywhere. */
  #pointAt(place: Place, clientX: number, clientY: number): void {
    // What is shown may be smoothed; what is read is recorded.
    const panel = this.#figure.panels[Number(place.svg.dataset["panel"])] ?? place.panel;
    const { x, lines: values } = valuesAt(this.#figure, { ...place, panel });
    const [where, ...others] = values;
    const clock = place.panel.x.label === stepLabel ? this.#reading?.clock : undefined;
    const lines = where !== undefined && clock ? [`${where}, ${clockWords(clock, x)}`, ...others] : values;
    this.#tip.textContent = lines.join("\n");
    this.#tip.hidden = lines.length === 0;
    const box = this.#drawing.getBoundingClientRect();
    const left = clientX - box.left;
    this.#tip.style.left = left > box.width / 2 ? "" : `${left + 14}px`;
    this.#tip.style.right = left > box.width / 2 ? `${box.width - left + 14}px` : "";
    this.#tip.style.top = `${clientY - box.top + 14}px`;
    if (place.panel.x.label !== stepLabel) return;
    this.#cursor.value = x;
  }

  #leave(): void {
    this.#tip.hidden = true;
    this.#drag?.mark.remove();
    this.#drag = null;
    this.#cursor.value = null;
  }

  /** Show a step in every panel over the steps; null takes the cursor away. */
  #showCursor(step: number | null): void {
    for (const old of this.#element.querySelectorAll(".cursor")) old.remove();
    if (step === null) return;
    const { panels } = this.#shown();
    for (const svg of this.#drawing.querySelectorAll<SVGSVGElement>("svg[data-panel]")) {
      const panel = panels[Number(svg.dataset["panel"])];
      if (panel?.x.label !== stepLabel) continue;
      const { left, right, top, bottom, x0, x1 } = numbersOf(svg);
      const share = shareOf(panel.x.scale, step, [x0, x1]);
      if (!(share >= 0 && share <= 1)) continue;
      const line = document.createElementNS(svgNamespace, "line");
      const at = String(left + share * (right - left));
      for (const [name, value] of Object.entries({ class: "cursor", x1: at, x2: at, y1: String(top), y2: String(bottom) })) line.setAttribute(name, value);
      svg.append(line);
    }
  }
}
