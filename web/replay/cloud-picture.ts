import { markerRadius } from "../../src/figures/draw/markers.js";
import type { HoveredToken } from "../shared/step-cursor.js";
import type { Camera } from "./camera.js";
import { type Cloud, type CloudPoints, marks } from "./cloud.js";
import type { HoleMarks } from "./holes.js";
import type { ReplayedBasis, ReplayedHistory, ReplayedPath, ReplayedStates, StateBits } from "./replayed.js";
import { placeOfRow } from "./row-place.js";
import { drawTrail, writeStage } from "./stage-labels.js";
import { axisText, holeText } from "./stage-text.js";

/** What a picture shows of a history. */
export interface PictureInput {
  history: ReplayedHistory;
  states: ReplayedStates;
  nameOf(row: number): string;
  state: number;
  /** The token that is followed, from the address. */
  followed: number | null;
  /** Its way. */
  way: ReplayedPath | undefined;
  hovered: HoveredToken;
}

interface PictureSettings {
  basis: ReplayedBasis;
  camera: Camera;
  newest: { current: PictureInput };
  dims: number;
  dtype: string;
}

/** Black holes after these have no anchor for a label. */
const mostAnchors = 60;
/** Tokens have names up to this number of tokens. */
const mostNamed = 300;
const manyTokens = 2000;
/** The hole and its nearest rows, up to this number, are shown when a hole is fitted. */
const fittedRows = 8;

/** One state on the canvas, with what is written over it. */
export class CloudPicture {
  holes: HoleMarks | undefined;
  readonly #cloud: Cloud;
  readonly #canvas: HTMLCanvasElement;
  readonly #labels: HTMLCanvasElement;
  readonly #settings: PictureSettings;
  #bits: StateBits | undefined;
  #points: CloudPoints | undefined;
  #shown = "";
  #size = { width: 1, height: 1 };
  #colours: ReturnType<typeof coloursOf>;
  readonly #thirds: ReturnType<typeof thirdsOf>;

  constructor(cloud: Cloud, canvas: HTMLCanvasElement, labels: HTMLCanvasElement, settings: PictureSettings) {
    this.#cloud = cloud;
    this.#canvas = canvas;
    this.#labels = labels;
    this.#settings = settings;
    this.#colours = coloursOf(canvas);
    this.#thirds = thirdsOf(settings.basis, settings.dims);
    this.fit();
  }

  get size(): Readonly<{ width: number; height: number }> {
    return this.#size;
  }

  get bits(): StateBits | undefined {
    return this.#bits;
  }

  /** Take the size and the colours that the page gives it. */
  fit(): void {
    this.#size = { width: Math.max(1, this.#canvas.clientWidth), height: Math.max(1, this.#canvas.clientHeight) };
    this.#colours = coloursOf(this.#canvas);
    for (const canvas of [this.#canvas, this.#labels]) {
      const [width, height] = [Math.round(this.#size.width * devicePixelRatio), Math.round(this.#size.height * devicePixelRatio)];
      if (canvas.width === width && canvas.height === height) continue;
      canvas.width = width;
      canvas.height = height;
    }
    this.#shown = ""; // radii depend on the size
  }

  /** Take another state, or another token to follow. @returns whether it is another. */
  show(state: number, bits: StateBits): boolean {
    const { history, states, followed } = this.#settings.newest.current;
    const key = `${state} ${followed}`;
    if (key === this.#shown) return false;
    this.#shown = key;
    if (bits !== this.#bits || !this.holes) this.holes = states.holesOf(state, bits);
    this.#bits = bits;
    this.#points = pointsOf(this.holes, history, followed, radiusScale(this.#size, history.tokens));
    this.#cloud.show(bits, this.#points);
    return true;
  }

  draw(): void {
    if (!this.#bits) return;
    const { camera } = this.#settings;
    this.#cloud.draw({
      axes: camera.angle.axes,
      middle: camera.middle,
      pixelsPerUnit: camera.pixelsPerUnit(this.#size),
      pixelsOfWhole: camera.pixelsOfWhole(this.#size),
      ...this.#size,
      colours: this.#colours,
    });
    this.#write();
  }

  /** The row at a position of the page, if there is one near; of a black hole, its first row. */
  rowAt(clientX: number, clientY: number): number | null {
    const box = this.#canvas.getBoundingClientRect();
    let found: number | null = null;
    let nearest = Number.POSITIVE_INFINITY;
    for (const [row, x, y] of this.#places(this.#points?.order ?? [])) {
      const distance = Math.hypot(x + box.left - clientX, y + box.top - clientY);
      if (distance > Math.max(12, this.#points?.radii[row] ?? 0) || distance > nearest) continue;
      nearest = distance;
      found = row;
    }
    return found;
  }

  /** Show the black hole of a row, the largest one by default, with its nearest rows. */
  fitHole(row: number | null): void {
    const { camera, basis } = this.#settings;
    const { hole = new Uint32Array(), populations = [] } = this.holes ?? {};
    const first = row ?? (populations.length > 0 ? hole.indexOf(1) : null);
    if (first === null || !this.#points) return;
    const target = this.#coordinates(first);
    const distances = [...this.#points.order].map((other) => Math.hypot(...this.#coordinates(other).map((value, at) => value - (target[at] ?? 0))));
    const apart = distances.filter((distance) => distance > 0).sort((a, b) => a - b);
    camera.lookAt(target, apart[Math.min(fittedRows, apart.length) - 1] ?? basis.reach[0] ?? 1, this.#size);
  }

  /** A row along the directions of the basis. */
  #coordinates(row: number): number[] {
    const { basis, dims, dtype } = this.#settings;
    const bits = this.#bits;
    if (!bits) return [];
    return this.#thirds.flatMap(({ matrix, offset }) => placeOfRow(bits, row, dims, dtype, matrix, offset)).slice(0, basis.components);
  }

  /** Where rows lie on the canvas, in pixels of the page. */
  *#places(rows: Iterable<number>): Generator<[row: number, x: number, y: number]> {
    if (!this.#bits) return;
    const { camera, dims, dtype } = this.#settings;
    const { matrix, offset } = camera.angle.map(dims);
    const { width, height } = this.#size;
    const [right, up] = camera.middle;
    const pixels = camera.pixelsPerUnit(this.#size);
    for (const row of rows) {
      const [x, y] = placeOfRow(this.#bits, row, dims, dtype, matrix, offset);
      yield [row, width / 2 + (x - right) * pixels, height / 2 - (y - up) * pixels];
    }
  }

  /** The path of the followed token to its present place. */
  #writeWay(context: CanvasRenderingContext2D): void {
    const { followed, way, state } = this.#settings.newest.current;
    if (followed === null || !way) return;
    const { camera } = this.#settings;
    const { width, height } = this.#size;
    const pixels = camera.pixelsPerUnit(this.#size);
    const [right = [], up = []] = camera.angle.axes;
    const [middleRight, middleUp] = camera.middle;
    const along = (axis: readonly number[], place: readonly number[]) => axis.reduce((sum, share, component) => sum + share * (place[component] ?? 0), 0);
    const seen = (place: readonly number[]) =>
      [width / 2 + (along(right, place) - middleRight) * pixels, height / 2 - (along(up, place) - middleUp) * pixels] as const;
    for (const [, x, y] of this.#places([followed])) drawTrail(context, way, state, seen, [x, y]);
  }

  /** What is written over the points: the path and name of the followed token, names of black holes and of lone tokens, scale and axes. */
  #write(): void {
    const context = this.#labels.getContext("2d");
    if (!context || !this.#points) return;
    const { history, nameOf, followed, hovered } = this.#settings.newest.current;
    const { basis, camera } = this.#settings;
    const { radii } = this.#points;
    const { ink, ground, followed: followedColour } = this.#colours;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.#labels.width, this.#labels.height);
    context.strokeStyle = followedColour;
    this.#writeWay(context);
    const { hole = new Uint32Array(), populations = [] } = this.holes ?? {};
    const ownHole = followed === null ? 0 : (hole[followed] ?? 0);
    // The label of the followed token names its hole too.
    const firsts = populations.slice(0, mostAnchors).flatMap((_, index) => (index + 1 === ownHole ? [] : [hole.indexOf(index + 1)]));
    const isLone = (row: number) => row !== followed && hole[row] === 0 && !history.dead.includes(row);
    const lone = history.tokens > mostNamed ? [] : Array.from({ length: history.tokens }, (_, row) => row).filter(isLone);
    const named = (rows: readonly number[], text: (row: number) => string) =>
      [...this.#places(rows)].map(([row, x, y]) => ({ text: text(row), x, y, radius: radii[row] ?? 0 }));
    writeStage(
      context,
      { ...this.#size, ink, ground, followed: followedColour },
      {
        followed: named(followed === null ? [] : [followed], (row) =>
          ownHole > 0 ? `${nameOf(row)} · ${holeText(populations[ownHole - 1] ?? 0)}` : nameOf(row),
        ),
        holes: named(firsts, (row) => holeText(populations[(hole[row] ?? 1) - 1] ?? 0)),
        moreHoles: populations.length - firsts.length - Number(ownHole > 0),
        names: named(lone, nameOf),
        pixelsPerUnit: camera.pixelsPerUnit(this.#size),
        axes: camera.angle.axes.slice(0, 2).map((axis) => axisText(axis, basis.explained)),
      },
    );
    for (const [row, x, y] of this.#places(hovered.value === null ? [] : [hovered.value])) {
      context.lineWidth = 2;
      context.strokeStyle = ink;
      context.beginPath();
      context.arc(x, y, Math.max(7, (radii[row] ?? 0) + 3), 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

/** The linear maps from a row to its coordinates in a basis, three coordinates each. */
function thirdsOf({ components, directions, mean }: ReplayedBasis, dims: number): { matrix: Float32Array; offset: number[] }[] {
  return Array.from({ length: Math.ceil(components / 3) }, (_, third) => {
    const matrix = new Float32Array(dims * 4);
    const offset = [0, 0, 0];
    for (let axis = 0; axis < 3 && third * 3 + axis < components; axis++) {
      for (let dim = 0; dim < dims; dim++) {
        const share = directions[(third * 3 + axis) * dims + dim] ?? 0;
        matrix[dim * 4 + axis] = share;
        offset[axis] = (offset[axis] ?? 0) + share * (mean[dim] ?? 0);
      }
    }
    return { matrix, offset };
  });
}

/** Marks of a stage are this much larger than those of a figure, except for many tokens: their discs would cover each other, and a processor draws them slowly. */
function radiusScale({ width, height }: Readonly<{ width: number; height: number }>, tokens: number): number {
  return tokens > manyTokens ? 1 : Math.max(1.2, Math.min(2, Math.min(width, height) / 260));
}

/** How the rows of a state are drawn: black holes lowest, the largest first, then dead and live tokens, and the followed one on top. */
function pointsOf({ hole, populations }: HoleMarks, { tokens, dead }: ReplayedHistory, followed: number | null, scale: number): CloudPoints {
  const rowMarks = new Uint8Array(tokens);
  for (const row of dead) rowMarks[row] = marks.dead;
  const radii = new Float32Array(tokens).fill(scale * markerRadius(1, tokens));
  const deadAlone: number[] = [];
  const liveAlone: number[] = [];
  const firsts: number[] = [];
  for (let row = 0; row < tokens; row++) {
    const at = (hole[row] ?? 0) - 1;
    if (at < 0) (rowMarks[row] === marks.dead ? deadAlone : liveAlone).push(row);
    else {
      firsts[at] ??= row;
      rowMarks[row] = marks.hole;
      radii[row] = scale * markerRadius(populations[at] ?? 1, tokens);
    }
  }
  const chosen = new Uint8Array(tokens);
  if (followed !== null) chosen[followed] = 1;
  // Its hole is drawn by its first row: the followed one takes that place.
  const inHoles = firsts.map((first, at) => (followed !== null && hole[followed] === at + 1 ? followed : first));
  const alone = deadAlone.concat(liveAlone).filter((row) => row !== followed);
  return { marks: rowMarks, radii, chosen, order: Uint32Array.from([...inHoles, ...alone, ...(followed !== null && hole[followed] === 0 ? [followed] : [])]) };
}

function coloursOf(canvas: HTMLCanvasElement) {
  const styles = getComputedStyle(canvas);
  const colour = (name: string) => styles.getPropertyValue(name);
  return {
    live: colour("--live"),
    dead: colour("--dead"),
    hole: colour("--hole"),
    followed: colour("--followed"),
    ground: colour("--stage"),
    ink: colour("--ink"),
  };
}
