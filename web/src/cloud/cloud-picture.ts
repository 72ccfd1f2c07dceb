import type { BasisDocument, HistoryDocument, RowPathDocument } from "../documents.js";
import { tokenName } from "../figures.js";
import { type Cloud, marks } from "./cloud.js";
import { type HoleMarks, markHoles } from "./holes.js";
import { placeOfRow, type StateBits } from "./states.js";
import type { ViewAngle } from "./view-angle.js";

/** What a picture shows of a history. */
export interface PictureInput {
  history: HistoryDocument;
  state: number;
  /** The token that is followed, from the address. */
  followed: number | null;
  /** Its way. */
  way: RowPathDocument | undefined;
}

interface PictureSettings {
  basis: BasisDocument;
  angle: ViewAngle;
  zoom: { current: number };
  newest: { current: PictureInput };
  dims: number;
  dtype: string;
}

/** One state on the canvas, with what is written over it. */
export class CloudPicture {
  holes: HoleMarks | undefined;
  readonly #cloud: Cloud;
  readonly #canvas: HTMLCanvasElement;
  readonly #labels: HTMLCanvasElement;
  readonly #settings: PictureSettings;
  #bits: StateBits | undefined;
  #shown = "";

  constructor(cloud: Cloud, canvas: HTMLCanvasElement, labels: HTMLCanvasElement, settings: PictureSettings) {
    this.#cloud = cloud;
    this.#canvas = canvas;
    this.#labels = labels;
    this.#settings = settings;
    this.fit();
  }

  /** Take the size that the page gives it. */
  fit(): void {
    for (const canvas of [this.#canvas, this.#labels]) {
      canvas.width = Math.max(1, Math.round(this.#canvas.clientWidth * devicePixelRatio));
      canvas.height = Math.max(1, Math.round(this.#canvas.clientHeight * devicePixelRatio));
    }
  }

  /** Take another state, or another token to follow. @returns whether it is another. */
  show(state: number, bits: StateBits): boolean {
    const { history, followed } = this.#settings.newest.current;
    const key = `${state} ${followed}`;
    if (key === this.#shown) return false;
    this.#shown = key;
    this.#bits = bits;
    this.holes = markHoles(bits, history.tokens, history.dims, history.dtype);
    const rowMarks = new Uint8Array(history.tokens);
    for (const row of history.dead) rowMarks[row] = marks.dead;
    const seen = new Uint8Array(this.holes.populations.length + 1);
    for (let row = 0; row < history.tokens; row++) {
      const hole = this.holes.hole[row] ?? 0;
      if (hole > 0) rowMarks[row] = seen[hole] ? marks.behind : marks.hole;
      seen[hole] = 1;
    }
    const chosen = new Uint8Array(history.tokens);
    if (followed !== null) chosen[followed] = 1;
    this.#cloud.show(bits, rowMarks, chosen);
    return true;
  }

  draw(): void {
    if (!this.#bits) return;
    const { angle } = this.#settings;
    const styles = getComputedStyle(this.#canvas);
    const colour = (name: string) => styles.getPropertyValue(name);
    const { tokens } = this.#settings.newest.current.history;
    const pointSize = (tokens <= 256 ? 13 : tokens <= 2000 ? 8 : 5) * devicePixelRatio;
    const colours = { live: colour("--live"), dead: colour("--dead"), hole: colour("--hole"), ground: colour("--stage") };
    this.#cloud.draw({ axes: angle.axes, scale: this.#scale(), pointSize, colours });
    this.#write(colour("--ink"), colour("--stage"), colour("--accent"));
  }

  /** The row under a place of the page, if there is one near. */
  rowAt(clientX: number, clientY: number): number | null {
    const { history } = this.#settings.newest.current;
    const box = this.#canvas.getBoundingClientRect();
    let found: number | null = null;
    let nearest = 14 ** 2;
    for (const [row, x, y] of this.#places(Array.from({ length: history.tokens }, (_, each) => each))) {
      const distance = (x + box.left - clientX) ** 2 + (y + box.top - clientY) ** 2;
      if (distance < nearest) {
        nearest = distance;
        found = row;
      }
    }
    return found;
  }

  /** So that the whole path fits, seen along its first directions: in halves of the shorter side a unit of the embedding. */
  #scale(): number {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const [right = 1, up = 1] = this.#settings.basis.reach;
    const fits = Math.min((width - 90) / (2 * (right || 1)), (height - 90) / (2 * (up || right || 1)));
    return (fits / (Math.min(width, height) / 2)) * this.#settings.zoom.current;
  }

  /** Where rows lie on the canvas, in units of the page. */
  *#places(rows: readonly number[]): Generator<[row: number, x: number, y: number]> {
    if (!this.#bits) return;
    const { angle, dims, dtype } = this.#settings;
    const { matrix, offset } = angle.map(dims);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const pixels = (Math.min(width, height) / 2) * this.#scale();
    for (const row of rows) {
      const [x, y] = placeOfRow(this.#bits, row, dims, dtype, matrix, offset);
      yield [row, width / 2 + x * pixels, height / 2 - y * pixels];
    }
  }

  /** The way that the followed token came. */
  #writeWay(context: CanvasRenderingContext2D): void {
    const { followed, way, state } = this.#settings.newest.current;
    if (followed === null || !way) return;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const pixels = (Math.min(width, height) / 2) * this.#scale();
    const [right = [], up = []] = this.#settings.angle.axes;
    const along = (axis: readonly number[], place: readonly number[]) => axis.reduce((sum, share, component) => sum + share * (place[component] ?? 0), 0);
    const seen = (place: readonly number[]) => [width / 2 + along(right, place) * pixels, height / 2 - along(up, place) * pixels] as const;
    for (const [, x, y] of this.#places([followed])) drawTrail(context, way, state, seen, [x, y]);
  }

  /** Names: of the followed token, of the largest holes, and of every token where there are few. */
  #write(ink: string, ground: string, line: string): void {
    const context = this.#labels.getContext("2d");
    if (!context) return;
    const { history, followed } = this.#settings.newest.current;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.#labels.width, this.#labels.height);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineCap = "round";
    context.strokeStyle = line;
    this.#writeWay(context);
    const taken: [number, number, number, number][] = [];
    const write = (text: string, x: number, from: number, isBold: boolean) => {
      let y = from;
      context.font = `${isBold ? "600 13px" : "11px"} system-ui, sans-serif`;
      const width = context.measureText(text).width;
      if (isBold) while (taken.some(([left, top, right, bottom]) => x + 9 < right && x + 11 + width > left && y - 7 < bottom && y + 7 > top)) y += 15;
      const box: [number, number, number, number] = [x + 9, y - 7, x + 11 + width, y + 7];
      if (!isBold && taken.some(([left, top, right, bottom]) => box[0] < right && box[2] > left && box[1] < bottom && box[3] > top)) return;
      taken.push(box);
      context.lineWidth = 3;
      context.strokeStyle = ground;
      context.fillStyle = ink;
      context.globalAlpha = isBold ? 1 : 0.8;
      context.strokeText(text, x + 10, y);
      context.fillText(text, x + 10, y);
    };
    const nameOf = (row: number) => tokenName(history.ids?.[row] ?? row, history.texts[row]);
    const holes = this.holes;
    const firsts = (holes?.populations ?? []).slice(0, 12).map((_, hole) => holes?.hole.indexOf(hole + 1) ?? 0);
    for (const [row, x, y] of this.#places(followed === null ? [] : [followed])) write(nameOf(row), x, y, true);
    for (const [row, x, y] of this.#places(firsts)) write(`${holes?.populations[(holes.hole[row] ?? 1) - 1]} tokens`, x, y, true);
    if (history.tokens > 300) return;
    const others = Array.from({ length: history.tokens }, (_, row) => row).filter(
      (row) => row !== followed && (holes?.hole[row] ?? 0) === 0 && !history.dead.includes(row),
    );
    for (const [row, x, y] of this.#places(others)) write(nameOf(row), x, y, false);
  }
}

type Place = readonly [x: number, y: number];

/**
 * Draw the way of a token up to a state, paler the longer ago.
 *
 * @param seen where a place of the path's basis is on the canvas.
 * @param here where the token is now: the way ends there.
 */
function drawTrail(context: CanvasRenderingContext2D, path: RowPathDocument, state: number, seen: (place: readonly number[]) => Place, here: Place): void {
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
