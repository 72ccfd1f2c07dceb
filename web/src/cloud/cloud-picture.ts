import { tokenName } from "../../../src/text/names.js";
import { axisText, holeText } from "../../replay/stage-text.js";
import type { HoveredToken } from "../chart/step-cursor.js";
import type { BasisDocument, HistoryDocument, RowPathDocument } from "../documents.js";
import { type Cloud, marks } from "./cloud.js";
import { type HoleMarks, markHoles } from "./holes.js";
import { writeStage } from "./stage-labels.js";
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
  hovered: HoveredToken;
}

interface PictureSettings {
  basis: BasisDocument;
  angle: ViewAngle;
  zoom: { current: number };
  newest: { current: PictureInput };
  dims: number;
  dtype: string;
}

/** Black holes after these have no anchor for a label. */
const mostAnchors = 60;

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
    const pointSize = pointSizeOf(tokens) * devicePixelRatio;
    const colours = { live: colour("--live"), dead: colour("--dead"), hole: colour("--hole"), followed: colour("--followed"), ground: colour("--stage") };
    this.#cloud.draw({ axes: angle.axes, scale: this.#scale(), pointSize, colours });
    this.#write(colour("--ink"), colour("--stage"), colour("--followed"));
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

  /** What is written over the points: the way and name of the followed token, names of black holes and of lone tokens, scale and axes. */
  #write(ink: string, ground: string, followedColour: string): void {
    const context = this.#labels.getContext("2d");
    if (!context) return;
    const { history, followed, hovered } = this.#settings.newest.current;
    const { basis, angle } = this.#settings;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.#labels.width, this.#labels.height);
    context.strokeStyle = followedColour;
    this.#writeWay(context);
    const nameOf = (row: number) => tokenName(history.ids?.[row] ?? row, history.texts[row]);
    const { hole = new Uint32Array(), populations = [] } = this.holes ?? {};
    const firsts = populations.slice(0, mostAnchors).map((_, index) => hole.indexOf(index + 1));
    const isLone = (row: number) => row !== followed && hole[row] === 0 && !history.dead.includes(row);
    const lone = history.tokens > 300 ? [] : Array.from({ length: history.tokens }, (_, row) => row).filter(isLone);
    const radius = pointSizeOf(history.tokens) / 2;
    writeStage(
      context,
      { width, height, ink, ground, followed: followedColour },
      {
        followed: [...this.#places(followed === null ? [] : [followed])].map(([row, x, y]) => ({ text: nameOf(row), x, y, radius: radius * 1.8 })),
        holes: [...this.#places(firsts)].map(([row, x, y]) => ({ text: holeText(populations[(hole[row] ?? 1) - 1] ?? 0), x, y, radius: radius * 1.7 })),
        moreHoles: populations.length - firsts.length,
        names: [...this.#places(lone)].map(([row, x, y]) => ({ text: nameOf(row), x, y, radius })),
        pixelsPerUnit: (Math.min(width, height) / 2) * this.#scale(),
        axes: angle.axes.slice(0, 2).map((axis) => axisText(axis, basis.explained)),
      },
    );
    for (const [, x, y] of this.#places(hovered.value === null ? [] : [hovered.value])) {
      context.lineWidth = 2;
      context.strokeStyle = ink;
      context.beginPath();
      context.arc(x, y, radius * 1.8, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

/** Diameter of the point of one token, in pixels of the page. */
function pointSizeOf(tokens: number): number {
  return tokens <= 256 ? 13 : tokens <= 2000 ? 8 : 5;
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
