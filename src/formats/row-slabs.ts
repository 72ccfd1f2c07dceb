/** A box inside an array: `count` elements from `offset` on, along every dimension; it covers `rows` rows from `firstRow` on. */
interface RowSlab {
  readonly firstRow: number;
  readonly rows: number;
  readonly offset: number[];
  readonly count: number[];
}

/**
 * The boxes that cover `count` rows from `first` on, in their order. Rows run over the last dimension.
 *
 * Whole blocks of leading dimensions are one box; where the range begins or ends inside a block, that block is taken apart.
 */
export function* rowSlabs(shape: readonly number[], first: number, count: number): Generator<RowSlab> {
  const [length = 1, ...inner] = shape;
  if (shape.length <= 1) {
    yield { firstRow: first, rows: 1, offset: shape.map(() => 0), count: [...shape] };
    return;
  }
  const blockRows = inner.slice(0, -1).reduce((product, size) => product * size, 1);
  for (let row = first; row < first + count; ) {
    const block = Math.floor(row / blockRows);
    const within = row % blockRows;
    const left = first + count - row;
    const wholeBlocks = within === 0 ? Math.min(Math.floor(left / blockRows), length - block) : 0;
    if (wholeBlocks > 0) {
      yield { firstRow: row, rows: wholeBlocks * blockRows, offset: [block, ...inner.map(() => 0)], count: [wholeBlocks, ...inner] };
      row += wholeBlocks * blockRows;
    } else {
      const rows = Math.min(left, blockRows - within);
      for (const slab of rowSlabs(inner, within, rows)) {
        yield { firstRow: slab.firstRow - within + row, rows: slab.rows, offset: [block, ...slab.offset], count: [1, ...slab.count] };
      }
      row += rows;
    }
  }
}
