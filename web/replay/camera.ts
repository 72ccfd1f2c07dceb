import type { ReplayedBasis } from "./replayed.js";
import { ViewAngle } from "./view-angle.js";

type Size = Readonly<{ width: number; height: number }>;

/** Space around the path when all of it is shown, in pixels. */
const edge = 90;
const zoomLimits = { least: 0.2, most: 20_000 } as const;
/** Significant digits of numbers in an address: enough for the strongest zoom that shows single lattice cells. */
const digits = 6;

/** Where a cloud is seen from: a view angle, the point in the middle of the picture, and a zoom. Pictures with the same camera move together. */
export class Camera {
  readonly angle: ViewAngle;
  readonly #basis: ReplayedBasis;
  readonly #pictures = new Set<() => void>();
  #target: number[];
  #zoom = 1;

  constructor(basis: ReplayedBasis) {
    this.#basis = basis;
    this.angle = new ViewAngle(basis);
    this.#target = this.#center();
  }

  /** The middle of the picture, along the right and the up axis. */
  get middle(): readonly [right: number, up: number] {
    const [right = [], up = []] = this.angle.axes;
    return [dot(right, this.#target), dot(up, this.#target)];
  }

  /** Pixels per unit of the embedding when the whole path fits, seen along its first directions. */
  pixelsOfWhole({ width, height }: Size): number {
    const [right = 1, up = 1] = this.#basis.reach;
    return Math.max(1, Math.min((width - edge) / (2 * (right || 1)), (height - edge) / (2 * (up || right || 1))));
  }

  pixelsPerUnit(size: Size): number {
    return this.pixelsOfWhole(size) * this.#zoom;
  }

  /** Move the picture by pixels, y downwards. */
  pan(dx: number, dy: number, size: Size): void {
    this.#move(-dx, dy, size);
    this.changed();
  }

  /** Zoom by a factor around a point, in pixels from the middle of the picture, y downwards. */
  zoomAt(factor: number, x: number, y: number, size: Size): void {
    const zoom = Math.max(zoomLimits.least, Math.min(zoomLimits.most, this.#zoom * factor));
    const share = 1 - this.#zoom / zoom;
    this.#move(x * share, -y * share, size);
    this.#zoom = zoom;
    this.changed();
  }

  turn(aboutUp: number, aboutRight: number): void {
    this.angle.turn(aboutUp, aboutRight);
    this.changed();
  }

  /** Show the surroundings of a point of the basis: what lies within a distance of it fills the picture. */
  lookAt(target: readonly number[], distance: number, size: Size): void {
    this.#target = this.#center().map((_, component) => target[component] ?? 0);
    const pixels = (Math.min(size.width, size.height) - edge) / 2 / distance;
    this.#zoom = Math.max(zoomLimits.least, Math.min(zoomLimits.most, pixels / this.pixelsOfWhole(size)));
    this.changed();
  }

  /** Redraw a picture after each change. @returns a function that ends this. */
  join(request: () => void): () => void {
    this.#pictures.add(request);
    return () => {
      this.#pictures.delete(request);
    };
  }

  /** Redraw every picture. */
  changed(): void {
    for (const request of this.#pictures) request();
  }

  reset(): void {
    this.text = "";
  }

  /** The camera as part of an address: zoom, target and axes, without trailing zeros; empty for the view of the whole path. */
  get text(): string {
    const straight = new ViewAngle(this.#basis);
    const axes = this.angle.axes.map(written);
    const isStraight = straight.axes.every((axis, index) => written(axis) === axes[index]);
    const parts = [written([this.#zoom]), written(this.#target), ...(isStraight ? [] : axes)];
    const text = parts.join("*");
    return text === "1*" ? "" : text;
  }

  /** Take the camera of an address; what cannot be read shows the whole path. */
  set text(text: string) {
    const [[zoom = 1] = [], target = [], ...axes] = text.split("*").map((part) => part.split("_").map(Number));
    const isReadable = [zoom, ...target, ...axes.flat()].every(Number.isFinite) && zoom > 0;
    this.angle.reset();
    if (isReadable && axes.length === 3) this.angle.take(axes);
    this.#zoom = isReadable && text !== "" ? Math.max(zoomLimits.least, Math.min(zoomLimits.most, zoom)) : 1;
    this.#target = this.#center().map((_, component) => (isReadable ? (target[component] ?? 0) : 0));
    this.changed();
  }

  #center(): number[] {
    return Array.from({ length: this.#basis.components }, () => 0);
  }

  /** Move the middle by pixels along the right and the up axis. */
  #move(alongRight: number, alongUp: number, size: Size): void {
    const pixels = this.pixelsPerUnit(size);
    const [right = [], up = []] = this.angle.axes;
    this.#target = this.#target.map((value, at) => value + (alongRight / pixels) * (right[at] ?? 0) + (alongUp / pixels) * (up[at] ?? 0));
  }
}

function written(vector: readonly number[]): string {
  const short = vector.map((value) => Number(value.toPrecision(digits)));
  const rounded = short.map((value) => (Math.abs(value) < 1e-6 ? 0 : value));
  return rounded.slice(0, rounded.findLastIndex((value) => value !== 0) + 1).join("_");
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
