/** The two directions in which the rows of an embedding differ most, followed from snapshot to snapshot. */
export class ViewPlane {
  #axes: Float64Array[] = [];

  /** Two coordinates of each row: its distance from the mean along both axes. @param rows `[rows, hidden]` in bfloat16. */
  places(rows: Uint16Array, hidden: number): Float32Array {
    const count = rows.length / hidden;
    const wide = new Float32Array(Uint32Array.from(rows, (word) => word << 16).buffer);
    const mean = new Float64Array(hidden);
    for (const [index, value] of wide.entries()) mean[index % hidden] = (mean[index % hidden] ?? 0) + value / count;
    const centred = wide.map((value, index) => value - (mean[index % hidden] ?? 0));
    if (this.#axes.length === 0) this.#axes = [0, 1].map((axis) => Float64Array.from({ length: hidden }, (_, at) => Math.cos((at + 1) * (axis + 1))));
    // Orthogonal iteration from the axes of the snapshot before, so that the picture does not jump.
    for (let turn = 0; turn < iterations; turn++) this.#axes = orthonormal(this.#axes.map((axis) => multiplied(centred, axis)));
    return Float32Array.from({ length: 2 * count }, (_, at) => dot(centred, Math.floor(at / 2) * hidden, this.#axes[at % 2] ?? mean));
  }
}

const iterations = 3;

/** The product of Xᵀ·X with an axis. */
function multiplied(rows: Float32Array, axis: Float64Array): Float64Array {
  const product = new Float64Array(axis.length);
  for (let start = 0; start < rows.length; start += axis.length) {
    const along = dot(rows, start, axis);
    for (let at = 0; at < axis.length; at++) product[at] = (product[at] ?? 0) + along * (rows[start + at] ?? 0);
  }
  return product.some((value) => value !== 0) ? product : axis;
}

function dot(rows: ArrayLike<number>, start: number, axis: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < axis.length; at++) sum += (rows[start + at] ?? 0) * (axis[at] ?? 0);
  return sum;
}

/** Both axes with length 1 and a right angle between them. */
function orthonormal([first = new Float64Array(0), second = first]: readonly Float64Array[]): Float64Array[] {
  const one = unit(first);
  const shared = dot(second, 0, one);
  return [one, unit(second.map((value, at) => value - shared * (one[at] ?? 0)))];
}

function unit(axis: Float64Array): Float64Array {
  const length = Math.sqrt(dot(axis, 0, axis));
  return length > 0 && Number.isFinite(length) ? axis.map((value) => value / length) : axis;
}
