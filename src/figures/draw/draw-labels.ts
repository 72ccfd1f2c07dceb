import type * as Plot from "@observablehq/plot";
import type { Mark, Panel } from "../figure.js";
import { type SvgDocument, type SvgElement, shortened, svgElement, textWidth } from "./svg.js";

/** A rectangle in pixels. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Whether two rectangles overlap. */
export function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Height of a line of labels. */
const lineHeight = 13;
const size = 11;

type Place = (value: number) => number;

/** The frame of a panel with its scales. */
interface Frame extends Box {
  readonly x: Place;
  readonly y: Place;
}

/**
 * The labels of a panel inside its frame: texts of rules, one above the other where they would overlap, and labels beside dots. Labels that would overlap
 * another dot or its label are omitted.
 */
export function plotLabels(document: SvgDocument, { marks }: Panel, { width, height }: { width: number; height: number }): Plot.Markish {
  const draw = (_index: unknown, scales: { x?: Place; y?: Place }, _values: unknown, { marginLeft, marginTop }: { marginLeft: number; marginTop: number }) => {
    const { x, y } = scales;
    if (!x || !y) return svgElement(document, "g", {});
    const frame = { x, y, left: marginLeft, right: marginLeft + width, top: marginTop, bottom: marginTop + height };
    const taken: Box[] = [];
    return svgElement(document, "g", {}, [...ruleTexts(document, marks, frame, taken), ...dotLabels(document, marks, frame, taken)]);
  };
  return draw as unknown as Plot.Markish;
}

/** A text in a box that is not taken yet. */
function textIn(document: SvgDocument, box: Box, anchor: "start" | "end", text: string): SvgElement {
  const at = { x: Math.round(anchor === "end" ? box.right : box.left), y: Math.round(box.bottom - 3), "text-anchor": anchor };
  return svgElement(document, "text", { ...at, class: "halo", "font-size": size, fill: "currentColor" }, text);
}

/** Distance of a text from its rule or dot. */
const away = 4;

function ruleTexts(document: SvgDocument, marks: readonly Mark[], frame: Frame, taken: Box[]): SvgElement[] {
  const rules = marks.filter((mark) => mark.mark === "rule").filter(({ text }) => text !== "");
  return rules.flatMap(({ axis, at, text }): SvgElement[] => {
    const place = axis === "x" ? frame.x(at) : frame.y(at);
    if (!Number.isFinite(place)) return [];
    const isEnd = axis === "y" || place > (frame.left + frame.right) / 2;
    const edge = axis === "y" ? frame.right : place + (isEnd ? -away : away);
    const room = isEnd ? edge - frame.left : frame.right - edge;
    const shown = shortened(text, room, size);
    const length = textWidth(shown, size);
    const first = axis === "x" ? frame.top + 2 : place - lineHeight - 1 < frame.top ? place + 1 : place - lineHeight - 1;
    for (let top = first; top + lineHeight <= frame.bottom + 1; top += lineHeight) {
      const box = { left: isEnd ? edge - length : edge, right: isEnd ? edge : edge + length, top, bottom: top + lineHeight };
      if (taken.some((other) => overlap(other, box))) continue;
      taken.push(box);
      return [textIn(document, box, isEnd ? "end" : "start", shown)];
    }
    return [];
  });
}

/** Of more dots, only large ones keep labels away: small ones are everywhere. */
const mostObstacles = 300;
/** Widths of a label that is worth reading. */
const shortest = 60;

function dotLabels(document: SvgDocument, marks: readonly Mark[], frame: Frame, taken: Box[]): SvgElement[] {
  const dots = marks
    .flatMap((mark) =>
      mark.mark === "dots" || mark.mark === "pies"
        ? mark.x.map((x, dot) => ({ x: frame.x(x), y: frame.y(mark.y[dot] ?? 0), radius: mark.radius?.[dot] ?? 3, label: mark.labels?.[dot] ?? "" }))
        : [],
    )
    .sort((a, b) => b.radius - a.radius);
  const boxOf = ({ x, y, radius }: (typeof dots)[number]) => ({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
  const small = dots.length > mostObstacles ? [] : dots.map((dot) => ({ dot, box: boxOf(dot) }));
  return dots.flatMap((dot) => {
    if (dot.label === "") return [];
    const { x, y, radius } = dot;
    const top = Math.min(Math.max(y - lineHeight / 2, frame.top), frame.bottom - lineHeight);
    const sides = [
      { anchor: "start" as const, room: frame.right - x - radius - away },
      { anchor: "end" as const, room: x - radius - away - frame.left },
    ];
    const needed = textWidth(dot.label, size);
    if (needed > (sides[0]?.room ?? 0)) sides.sort((a, b) => b.room - a.room);
    for (const { anchor, room } of sides) {
      const label = shortened(dot.label, room, size);
      const length = textWidth(label, size);
      if (length > room || (label !== dot.label && room < shortest)) continue;
      const left = anchor === "end" ? x - radius - away - length : x + radius + away;
      const box = { left, right: left + length, top, bottom: top + lineHeight };
      if (taken.some((other) => overlap(other, box)) || small.some((other) => other.dot !== dot && overlap(other.box, box))) continue;
      taken.push(box, boxOf(dot));
      return [textIn(document, box, anchor, label)];
    }
    return [];
  });
}
