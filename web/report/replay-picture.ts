import { markerRadius } from "../../src/figures/draw/markers.js";
import type { ReplayFrames } from "../../src/report/replay-frames.js";
import { axisText, holeText } from "../replay/stage-text.js";
import { writeStage } from "../src/cloud/stage-labels.js";
import { unpackedFrames } from "./unpacked.js";

/** Key frames as they are drawn. */
export interface UnpackedReplay extends Omit<ReplayFrames, "places" | "classes"> {
  readonly places: Uint16Array;
  readonly classes: Uint16Array;
}

/** Unpack the key frames of a run. */
export async function unpackedReplay(frames: ReplayFrames): Promise<UnpackedReplay> {
  const { length } = frames.tokens;
  const [places, classes] = await Promise.all([unpackedFrames(frames.places, 2 * length), unpackedFrames(frames.classes, length)]);
  return { ...frames, places, classes };
}

/** What is drawn: a frame, and the row that is followed, or −1. */
export interface Shown {
  readonly replay: UnpackedReplay;
  readonly frame: number;
  readonly followed: number;
}

const tallest = 420;
/** Room for marks, labels and the scale, in pixels. */
const room = { across: 48, above: 40, below: 52 } as const;
/** Histories with more tokens show the names of black holes and of the followed token only. */
const mostNamed = 300;
/** Black holes after these have no anchor for a label. */
const mostAnchors = 60;

/** Smallest radius of a mark by the number of tokens, in pixels. */
const smallestRadius = [
  { upTo: 256, radius: 3.5 },
  { upTo: 2000, radius: 2.5 },
  { upTo: Number.POSITIVE_INFINITY, radius: 1.7 },
] as const;

/** Tokens of each class of equal rows, by its first row. */
interface Population {
  readonly first: number;
  readonly tokens: number;
  readonly live: number;
}

/** The classes of a frame, by descending population. */
function populationsOf({ replay: { classes, tokens }, frame }: Shown): Population[] {
  const found = new Map<number, { first: number; tokens: number; live: number }>();
  for (const [row, { dead }] of tokens.entries()) {
    const first = classes[frame * tokens.length + row] ?? row;
    const known = found.get(first) ?? { first, tokens: 0, live: 0 };
    found.set(first, known);
    known.tokens++;
    known.live += Number(!dead);
  }
  return [...found.values()].sort((a, b) => b.tokens - a.tokens);
}

/** The counts of a frame, in words. */
export function wordsOf(shown: Shown): string {
  const populations = populationsOf(shown);
  const holes = populations.filter(({ tokens }) => tokens > 1);
  const inHoles = holes.reduce((sum, { tokens }) => sum + tokens, 0);
  const [step, C, P, distinct] = [shown.replay.steps[shown.frame] ?? 0, holes.length, inHoles, populations.length].map((each) => each.toLocaleString("en"));
  return `step ${step}: C = ${C}, P = ${P}, ${distinct} distinct`;
}

/** Pixels per unit of the weights, and the upper left corner of the view. */
function viewOf({ clientWidth, clientHeight }: HTMLCanvasElement, { width, height }: UnpackedReplay) {
  const [wide, high] = [clientWidth - 2 * room.across, clientHeight - room.above - room.below];
  const scale = Math.max(0, Math.min(wide / width, high / height));
  return { scale, left: room.across + (wide - scale * width) / 2, bottom: clientHeight - room.below - (high - scale * height) / 2 };
}

/** The position of a row on a canvas, in pixels of the page. */
export function placeOfRow(canvas: HTMLCanvasElement, { replay, frame }: Shown, row: number): [x: number, y: number] {
  const index = 2 * (frame * replay.tokens.length + row);
  const { scale, left, bottom } = viewOf(canvas, replay);
  return [left + ((replay.places[index] ?? 0) / 65_535) * scale * replay.width, bottom - ((replay.places[index + 1] ?? 0) / 65_535) * scale * replay.height];
}

/** Make a canvas as sharp as its screen, and on a narrow one not taller than wide. */
export function fitCanvas(canvas: HTMLCanvasElement): void {
  canvas.style.height = `${Math.min(tallest, Math.max(260, canvas.clientWidth))}px`;
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
}

/** Draw a frame with the marks of the page: a disc is a live token, a hollow diamond a dead one, a ring a black hole, whose area shows its population. */
export function drawFrame(canvas: HTMLCanvasElement, shown: Shown): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { replay, followed } = shown;
  const { clientWidth: width, clientHeight: height } = canvas;
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(`--${name}`);
  const [ink, ground, chosen] = [colour("ink"), colour("ground"), colour("followed")];
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, width, height);
  if (followed >= 0) drawPath(context, shown, chosen);
  const populations = populationsOf(shown);
  const { length } = replay.tokens;
  const smallest = smallestRadius.find(({ upTo }) => length <= upTo)?.radius ?? 0;
  const radiusOf = (tokens: number) => Math.max(smallest, markerRadius(tokens, length));
  for (const { first, tokens, live } of populations) {
    const kind = tokens > 1 ? "hole" : live > 0 ? "live" : "dead";
    drawMark(context, kind, placeOfRow(canvas, shown, first), radiusOf(tokens), { colour: colour(kind), ground });
  }
  // Rings of black holes stay visible among many tokens.
  for (const { first, tokens } of populations) {
    if (tokens > 1) drawRing(context, placeOfRow(canvas, shown, first), radiusOf(tokens), colour("hole"), ringWidth(radiusOf(tokens)));
  }
  const named = (text: string, row: number, tokens: number) => {
    const [x, y] = placeOfRow(canvas, shown, row);
    return { text, x, y, radius: radiusOf(tokens) };
  };
  const holes = populations.filter(({ tokens }) => tokens > 1);
  const ofFollowed = followed < 0 ? undefined : populations.find(({ first }) => first === replay.classes[shown.frame * replay.tokens.length + followed]);
  if (ofFollowed) drawRing(context, placeOfRow(canvas, shown, followed), radiusOf(ofFollowed.tokens) + 4, chosen);
  const alone = replay.tokens.length > mostNamed ? [] : populations.filter(({ tokens, live, first }) => tokens === 1 && live > 0 && first !== followed);
  const nameOf = (row: number) => replay.tokens[row]?.name ?? "";
  writeStage(
    context,
    { width, height, ink, ground, followed: chosen },
    {
      followed: ofFollowed ? [named(nameOf(followed), followed, ofFollowed.tokens)] : [],
      holes: holes.slice(0, mostAnchors).map(({ first, tokens }) => named(holeText(tokens), first, tokens)),
      moreHoles: Math.max(0, holes.length - mostAnchors),
      names: alone.map(({ first }) => named(nameOf(first), first, 1)),
      pixelsPerUnit: viewOf(canvas, replay).scale,
      axes: [axisText([1, 0], replay.explained), axisText([0, 1], replay.explained)],
    },
  );
  context.font = "600 13px system-ui, sans-serif";
  context.fillStyle = ink;
  context.fillText(`step ${(replay.steps[shown.frame] ?? 0).toLocaleString("en")}`, 12, 18);
}

type Kind = "live" | "dead" | "hole";

function drawMark(
  context: CanvasRenderingContext2D,
  kind: Kind,
  [x, y]: readonly [number, number],
  radius: number,
  look: { colour: string; ground: string },
): void {
  context.beginPath();
  if (kind === "dead") {
    context.moveTo(x, y - radius - 1);
    context.lineTo(x + radius + 1, y);
    context.lineTo(x, y + radius + 1);
    context.lineTo(x - radius - 1, y);
    context.closePath();
  } else context.arc(x, y, radius, 0, 2 * Math.PI);
  if (kind === "live") {
    context.fillStyle = look.colour;
    context.fill();
    return;
  }
  context.fillStyle = look.ground;
  context.fill();
  context.strokeStyle = look.colour;
  context.lineWidth = kind === "hole" ? ringWidth(radius) : 1.6;
  context.stroke();
}

function ringWidth(radius: number): number {
  return Math.max(1.5, 0.3 * radius);
}

function drawRing(context: CanvasRenderingContext2D, [x, y]: readonly [number, number], radius: number, colour: string, width = 2): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

/** The path of the followed token up to the frame. */
function drawPath(context: CanvasRenderingContext2D, shown: Shown, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.4;
  context.beginPath();
  for (let frame = 0; frame <= shown.frame; frame++) context.lineTo(...placeOfRow(context.canvas, { ...shown, frame }, shown.followed));
  context.stroke();
}
