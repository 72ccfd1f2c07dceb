import { type Box, overlapping, placeLabels } from "./label-layout.js";
import type { ReplayedPath } from "./replayed.js";
import { scaleBar } from "./stage-text.js";

/** A text beside a point of the stage, in pixels of the page. */
interface Named {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Radius of the point. */
  readonly radius: number;
}

/** What is written on a stage. */
interface StageTexts {
  readonly followed: readonly Named[];
  /** Black holes by falling population. */
  readonly holes: readonly Named[];
  /** Number of black holes beyond these. */
  readonly moreHoles: number;
  /** Tokens that are alone; a name without room is omitted. */
  readonly names: readonly Named[];
  readonly pixelsPerUnit: number;
  /** Names of the horizontal and the vertical axis. */
  readonly axes: readonly string[];
}

interface StageLook {
  readonly width: number;
  readonly height: number;
  readonly ink: string;
  readonly ground: string;
  readonly followed: string;
}

const bold = "600 13px system-ui, sans-serif";
const plain = "11px system-ui, sans-serif";
const mostScaleBar = 120;

/** Write labels, names, scale and axes on a cleared canvas. */
export function writeStage(context: CanvasRenderingContext2D, look: StageLook, texts: StageTexts): void {
  const { width, height, ink, ground } = look;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineCap = "round";
  const taken: Box[] = [
    { left: 0, top: 0, right: 150, bottom: 36 },
    { left: 0, top: height - 46, right: width, bottom: height },
  ];
  const write = (text: string, x: number, y: number, font: string, colour = ink) => {
    context.font = font;
    context.lineWidth = 3;
    context.strokeStyle = ground;
    context.fillStyle = colour;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  context.font = bold;
  const important = [...texts.followed, ...texts.holes];
  const anchors = important.map(({ text, x, y, radius }) => ({ x, y, radius, width: context.measureText(text).width, height: 16 }));
  const { labels } = placeLabels(anchors, { width, height }, { taken, most: 5 + texts.followed.length });
  for (const { anchor, box, leader } of labels) {
    if (leader) drawLeader(context, leader, look);
    write(important[anchor]?.text ?? "", box.left, (box.top + box.bottom) / 2, bold, anchor < texts.followed.length ? look.followed : ink);
    taken.push(box);
  }
  context.font = plain;
  context.globalAlpha = 0.8;
  for (const { text, x, y, radius } of texts.names) {
    const left = x + radius + 3;
    const box = { left, top: y - 7, right: left + context.measureText(text).width, bottom: y + 7 };
    if (box.right > width || box.top < 0 || taken.some((other) => overlapping(other, box))) continue;
    taken.push(box);
    write(text, left, y, plain);
  }
  context.globalAlpha = 1;
  const rest = texts.holes.length + texts.moreHoles - labels.filter(({ anchor }) => anchor >= texts.followed.length).length;
  if (rest > 0) write(`+${rest} more black ${rest === 1 ? "hole" : "holes"}`, 14, height - 56, plain);
  writeScale(context, look, texts, write);
}

function drawLeader(context: CanvasRenderingContext2D, [x1, y1, x2, y2]: readonly [number, number, number, number], { ink, ground }: StageLook): void {
  for (const [colour, lineWidth] of [
    [ground, 3],
    [ink, 1],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }
}

/** The scale bar with the names of the axes, at the lower left. */
function writeScale(
  context: CanvasRenderingContext2D,
  { height, ink }: StageLook,
  { pixelsPerUnit, axes: [across = "", up = ""] }: StageTexts,
  write: (text: string, x: number, y: number, font: string) => void,
): void {
  const bar = scaleBar(pixelsPerUnit, mostScaleBar);
  if (!bar) return;
  const [left, bottom] = [14, height - 14];
  context.strokeStyle = ink;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(left, bottom - 4);
  context.lineTo(left, bottom);
  context.lineTo(left + bar.pixels, bottom);
  context.lineTo(left + bar.pixels, bottom - 4);
  context.stroke();
  write(`${bar.text} · → ${across} · ↑ ${up}`, left, bottom - 14, plain);
}

type Place = readonly [x: number, y: number];

/**
 * Draw the path of a token up to a state, paler the longer ago.
 *
 * @param seen where a place of the path's basis is on the canvas.
 * @param here where the token is now: the path ends there.
 */
export function drawTrail(context: CanvasRenderingContext2D, path: ReplayedPath, state: number, seen: (place: readonly number[]) => Place, here: Place): void {
  const gone = path.states.findIndex((each) => each >= state);
  const points = [...path.places.slice(0, gone < 0 ? path.places.length : gone).map(seen), here];
  context.lineWidth = 1.6;
  for (let at = 1; at < points.length; at++) {
    const [from, to] = [points[at - 1] ?? here, points[at] ?? here];
    context.globalAlpha = 0.2 + 0.8 * (at / points.length);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  }
  context.globalAlpha = 1;
}
