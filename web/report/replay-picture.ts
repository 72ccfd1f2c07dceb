import { overlap } from "../../src/figures/draw/draw-labels.js";
import type { ReplayFrames } from "../../src/report/replay-frames.js";
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
interface Shown {
  readonly replay: UnpackedReplay;
  readonly frame: number;
  readonly followed: number;
}

const height = 420;
const margin = 24;

/** Tokens of each black hole, and of each row of its own, by the first row with that value. */
function populationOf({ replay: { classes, tokens }, frame }: Shown): Map<number, number> {
  const population = new Map<number, number>();
  for (let row = 0; row < tokens.length; row++) {
    const first = classes[frame * tokens.length + row] ?? row;
    population.set(first, (population.get(first) ?? 0) + 1);
  }
  return population;
}

/** What a frame comes to, in words. */
export function wordsOf(shown: Shown): string {
  const population = populationOf(shown);
  const holes = [...population.values()].filter((tokens) => tokens > 1);
  const inHoles = holes.reduce((sum, tokens) => sum + tokens, 0);
  const step = (shown.replay.steps[shown.frame] ?? 0).toLocaleString("en");
  return `step ${step}: C = ${holes.length}, P = ${inHoles}, ${population.size} distinct`;
}

/** The place of a row on a canvas, in its pixels. */
export function placeOfRow({ width, height }: HTMLCanvasElement, { replay, frame }: Shown, row: number): [number, number] {
  const index = 2 * (frame * replay.tokens.length + row);
  const room = 2 * margin * devicePixelRatio;
  const scale = Math.min((width - room) / replay.width, (height - room) / replay.height);
  const [wide, high] = [scale * replay.width, scale * replay.height];
  const across = (width - wide) / 2;
  const down = (height - high) / 2;
  return [across + ((replay.places[index] ?? 0) / 65_535) * wide, height - down - ((replay.places[index + 1] ?? 0) / 65_535) * high];
}

/** Make a canvas as sharp as its screen. */
export function fitCanvas(canvas: HTMLCanvasElement): void {
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  canvas.style.height = `${height}px`;
}

/** Draw a frame: a black hole is as large as its population, and what has dead tokens alone is a square. */
export function drawFrame(canvas: HTMLCanvasElement, shown: Shown): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { replay, followed } = shown;
  const style = getComputedStyle(document.documentElement);
  const [live, dead] = matchMedia("(prefers-color-scheme: dark)").matches ? ["#7db3f2", "#f0a06a"] : ["#1f4e8c", "#c4560a"];
  const scale = devicePixelRatio;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.font = `${12 * scale}px system-ui, sans-serif`;
  if (followed >= 0) drawWay(context, shown, style.getPropertyValue("--accent"));
  const hasLive = new Set<number>();
  for (const [row, { dead: isDead }] of replay.tokens.entries()) if (!isDead) hasLive.add(replay.classes[shown.frame * replay.tokens.length + row] ?? row);
  const population = [...populationOf(shown)].sort((a, b) => b[1] - a[1]);
  for (const [first, tokens] of population) {
    const [x, y] = placeOfRow(canvas, shown, first);
    const radius = radiusOf(tokens);
    context.fillStyle = (hasLive.has(first) ? live : dead) ?? "";
    context.globalAlpha = tokens > 1 ? 0.65 : 0.85;
    context.beginPath();
    // Dead tokens are squares: colour alone would not tell them.
    if (hasLive.has(first)) context.arc(x, y, radius, 0, 2 * Math.PI);
    else context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    context.fill();
  }
  context.globalAlpha = 1;
  drawPopulations(context, shown, population);
  if (followed >= 0) drawFollowed(context, shown, style.getPropertyValue("--ink"));
}

function radiusOf(tokens: number): number {
  return (2.6 + 1.7 * Math.sqrt(tokens - 1)) * devicePixelRatio;
}

/** The number of tokens of each black hole; a label that would overlap a larger black hole or its label is omitted. */
function drawPopulations(context: CanvasRenderingContext2D, shown: Shown, population: readonly (readonly [first: number, tokens: number])[]): void {
  const style = getComputedStyle(document.documentElement);
  const scale = devicePixelRatio;
  const taken: Parameters<typeof overlap>[0][] = [];
  context.fillStyle = style.getPropertyValue("--ink");
  context.strokeStyle = style.getPropertyValue("--ground");
  context.lineWidth = 3 * scale;
  context.lineJoin = "round";
  for (const [first, tokens] of population.filter(([, each]) => each > 1)) {
    const [x, y] = placeOfRow(context.canvas, shown, first);
    const radius = radiusOf(tokens);
    const left = x + radius + 3 * scale;
    const text = { left, right: left + context.measureText(String(tokens)).width, top: y - 7 * scale, bottom: y + 7 * scale };
    if (taken.some((other) => overlap(other, text))) continue;
    taken.push(text, { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
    context.strokeText(String(tokens), left, y + 4 * scale);
    context.fillText(String(tokens), left, y + 4 * scale);
  }
}

function drawWay(context: CanvasRenderingContext2D, shown: Shown, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.2 * devicePixelRatio;
  context.beginPath();
  for (let frame = 0; frame <= shown.frame; frame++) context.lineTo(...placeOfRow(context.canvas, { ...shown, frame }, shown.followed));
  context.stroke();
}

function drawFollowed(context: CanvasRenderingContext2D, shown: Shown, colour: string): void {
  const scale = devicePixelRatio;
  const [x, y] = placeOfRow(context.canvas, shown, shown.followed);
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 2 * scale;
  context.beginPath();
  context.arc(x, y, 9 * scale, 0, 2 * Math.PI);
  context.stroke();
  context.fillText(shown.replay.tokens[shown.followed]?.name ?? "", x + 12 * scale, y - 8 * scale);
}
