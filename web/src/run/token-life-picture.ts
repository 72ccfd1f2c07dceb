import type { TokensDocument } from "../documents.js";
import { shown } from "../figures.js";
import { lineColour } from "../theme.js";

/** Black holes with a colour of their own, largest first. */
export const shownHoles = 4;
const otherColour = 6;
/** Space for the gutter on the left, which marks dead tokens, and for the axis below. */
const gutter = 12;
const axisHeight = 20;
/** Gap between the gutter and the steps. */
const gap = 4;

/** The size of the picture and the steps that it shows. */
export interface LifeFrame {
  readonly width: number;
  readonly lives: TokensDocument;
  readonly range: readonly [number, number];
}

/** What is highlighted; tokens by their place from the top. */
interface LifeMarks {
  readonly isDark: boolean;
  readonly step: number;
  /** Rows of the embedding. */
  readonly dead: readonly number[];
  readonly hovered: number | undefined;
  readonly followed: number | undefined;
  /** Ends of a selection in pixels. */
  readonly brush: readonly [number, number] | null;
}

export function holeColour(hole: number, isDark: boolean): string {
  return lineColour(hole <= shownHoles ? hole - 1 : otherColour, isDark);
}

const along = (step: number) => Math.log1p(Math.max(0, step));

/** Horizontal position of a step, on an axis that is logarithmic in step + 1. */
function xOf({ width, range: [from, to] }: LifeFrame, step: number): number {
  const left = gutter + gap;
  const share = (along(step) - along(from)) / Math.max(1e-9, along(to) - along(from));
  return left + Math.min(1, Math.max(0, share)) * (width - left - 1);
}

/** The step at a horizontal position. */
export function stepAtX({ width, range: [from, to] }: LifeFrame, x: number): number {
  const left = gutter + gap;
  const share = Math.min(1, Math.max(0, (x - left) / (width - left - 1)));
  return Math.round(Math.expm1(along(from) + share * (along(to) - along(from))));
}

/** Height of the rows: whole pixels for each. */
export function rowsHeight({ starts }: TokensDocument): number {
  const rows = starts.length - 1;
  return rows * Math.min(24, Math.max(1, Math.round(288 / rows)));
}

/** Height of the picture with its axis. */
export function lifeHeight(lives: TokensDocument): number {
  return rowsHeight(lives) + axisHeight;
}

/** Draw the rows, the gutter of dead tokens, the axis, the cursor, and what is highlighted. */
export function drawLife(canvas: HTMLCanvasElement, frame: LifeFrame, marks: LifeMarks): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { lives, width } = frame;
  const height = rowsHeight(lives);
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(lifeHeight(lives) * devicePixelRatio);
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  const styles = getComputedStyle(canvas);
  const colour = (name: string) => styles.getPropertyValue(name);
  context.fillStyle = colour("--stage");
  context.fillRect(gutter + gap, 0, width - gutter - gap, height);
  const rowHeight = height / (lives.starts.length - 1);
  drawSpans(context, frame, marks.isDark, rowHeight);
  drawGutter(context, lives, new Set(marks.dead), rowHeight, colour("--dead"));
  drawAxis(context, frame, height, colour("--quiet"), colour("--line"));
  context.fillStyle = colour("--ink");
  context.fillRect(Math.round(xOf(frame, marks.step)), 0, 1, height);
  outline(context, frame, marks.followed, rowHeight, colour("--followed"));
  outline(context, frame, marks.hovered, rowHeight, colour("--ink"));
  if (marks.brush) {
    context.globalAlpha = 0.25;
    context.fillStyle = colour("--ink");
    context.fillRect(marks.brush[0], 0, marks.brush[1] - marks.brush[0], height);
    context.globalAlpha = 1;
  }
}

function drawSpans(context: CanvasRenderingContext2D, frame: LifeFrame, isDark: boolean, rowHeight: number): void {
  const { row, from, to, hole } = frame.lives.spans;
  const [low, high] = frame.range;
  for (const [at, number] of hole.entries()) {
    // A span is drawn until the next one of its row starts.
    const end = (row[at + 1] === row[at] ? from[at + 1] : to[at]) ?? 0;
    const start = from[at] ?? 0;
    if (number === 0 || end < low || start > high) continue;
    const left = xOf(frame, start);
    context.fillStyle = holeColour(number, isDark);
    context.fillRect(left, (row[at] ?? 0) * rowHeight, Math.max(1, xOf(frame, end) - left), rowHeight);
  }
}

/** A drawn row is marked if at least half of its tokens are dead. */
function drawGutter(context: CanvasRenderingContext2D, { starts, order }: TokensDocument, dead: ReadonlySet<number>, rowHeight: number, colour: string): void {
  context.fillStyle = colour;
  for (let row = 0; row + 1 < starts.length; row++) {
    const own = order.slice(starts[row], starts[row + 1]);
    if (own.filter((each) => dead.has(each)).length * 2 >= own.length) context.fillRect(0, row * rowHeight, gutter, rowHeight);
  }
}

/** Space of a tick's text. */
const tickWidth = 46;

function drawAxis(context: CanvasRenderingContext2D, frame: LifeFrame, height: number, ink: string, line: string): void {
  const [from, to] = frame.range;
  const powers = Array.from({ length: 8 }, (_, power) => 10 ** power).flatMap((power) => [power, 2 * power, 5 * power]);
  const inner = from === 0 ? [...powers.filter((step) => step < to)] : powers.filter((step) => step > from && step < to);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "top";
  let free = 0;
  const last = xOf(frame, to);
  for (const step of [from, ...inner, to]) {
    const x = xOf(frame, step);
    const isEnd = step === to;
    if (!isEnd && (x < free || x > last - tickWidth)) continue;
    context.fillStyle = line;
    context.fillRect(Math.round(x), height, 1, 4);
    context.fillStyle = ink;
    context.textAlign = isEnd ? "right" : step === from ? "left" : "center";
    context.fillText(shown(step), x, height + 5);
    free = x + tickWidth;
  }
}

/** Lines above and below the row of a token, at least 3 pixels apart. */
function outline(context: CanvasRenderingContext2D, { width, lives }: LifeFrame, place: number | undefined, rowHeight: number, colour: string): void {
  if (place === undefined) return;
  const row = lives.starts.findLastIndex((first) => first <= place);
  const height = Math.max(3, rowHeight);
  const top = Math.max(0, (row + 0.5) * rowHeight - height / 2);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.strokeRect(0.75, top, width - 1.5, height);
}
