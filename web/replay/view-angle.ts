import type { ReplayedBasis } from "./replayed.js";

/** Turns a second of each plane: no two have a common measure, so that the tour never comes back. */
const speeds = [0.11, 0.071, 0.053, 0.043, 0.037, 0.031, 0.029];

/** Where from the cloud is looked at: three orthonormal vectors among the directions of the path. Turning it changes no point. */
export class ViewAngle {
  readonly #basis: ReplayedBasis;
  readonly #size: number;
  /** `[3][size]`: right, up, towards the eye. */
  #axes: number[][];

  constructor(basis: ReplayedBasis) {
    this.#basis = basis;
    this.#size = basis.components;
    this.#axes = this.#straight();
  }

  /** Right, up and towards the eye, along the directions of the basis. */
  get axes(): readonly (readonly number[])[] {
    return this.#axes;
  }

  /** The first three principal directions again. */
  reset(): void {
    this.#axes = this.#straight();
  }

  /** Take three vectors, made orthonormal in their order (Gram and Schmidt); vectors that are not independent are refused and change nothing. */
  take(vectors: readonly (readonly number[])[]): void {
    const axes: number[][] = [];
    for (const vector of vectors.slice(0, 3)) {
      let rest = Array.from({ length: this.#size }, (_, component) => vector[component] ?? 0);
      for (const axis of axes) {
        const along = rest.reduce((sum, value, at) => sum + value * (axis[at] ?? 0), 0);
        rest = rest.map((value, at) => value - along * (axis[at] ?? 0));
      }
      const length = Math.hypot(...rest);
      if (length < 1e-3) return;
      axes.push(rest.map((value) => value / length));
    }
    if (axes.length === 3) this.#axes = axes;
  }

  /** Turn by angles about the up and the right axis; a view of two dimensions has no other side. */
  turn(aboutUp: number, aboutRight: number): void {
    if (this.#size < 3) return;
    const [right = [], up = [], near = []] = this.#axes;
    const turned = rotate(right, near, aboutUp);
    const tipped = rotate(up, turned[1], aboutRight);
    this.#axes = [turned[0], tipped[0], tipped[1]];
  }

  /** Continue the tour for some seconds. */
  tour(seconds: number): void {
    for (let first = 0; first < Math.min(3, this.#size); first++) {
      for (let second = first + 1; second < this.#size; second++) {
        const angle = seconds * (speeds[(first * 3 + second) % speeds.length] ?? 0.05);
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
        for (const axis of this.#axes) {
          const [a, b] = [axis[first] ?? 0, axis[second] ?? 0];
          axis[first] = cos * a - sin * b;
          axis[second] = sin * a + cos * b;
        }
      }
    }
  }

  /** The linear map from a row to the picture: `[dims][4]`, the fourth 0, and what it makes of the mean. */
  map(dims: number): { matrix: Float32Array; offset: [number, number, number] } {
    const matrix = new Float32Array(dims * 4);
    const offset: [number, number, number] = [0, 0, 0];
    const { directions, mean } = this.#basis;
    this.#axes.forEach((axis, out) => {
      axis.forEach((share, component) => {
        if (share === 0) return;
        for (let dim = 0; dim < dims; dim++) {
          const at = dim * 4 + out;
          matrix[at] = (matrix[at] ?? 0) + share * (directions[component * dims + dim] ?? 0);
        }
      });
      for (let dim = 0; dim < dims; dim++) offset[out] = (offset[out] ?? 0) + (mean[dim] ?? 0) * (matrix[dim * 4 + out] ?? 0);
    });
    return { matrix, offset };
  }

  #straight(): number[][] {
    return [0, 1, 2].map((axis) => Array.from({ length: this.#size }, (_, component) => (component === axis ? 1 : 0)));
  }
}

function rotate(a: readonly number[], b: readonly number[], angle: number): [number[], number[]] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [a.map((value, at) => cos * value + sin * (b[at] ?? 0)), a.map((value, at) => cos * (b[at] ?? 0) - sin * value)];
}
