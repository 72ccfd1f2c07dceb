/** Rows that follow each other in a file and are read at once. */
interface RowRun {
  /** Position of the first in the list of chosen rows. */
  readonly position: number;
  readonly firstRow: number;
  readonly count: number;
}

/**
 * Cut a list of rows into runs of consecutive ones.
 *
 * @param rows ascending and distinct.
 * @param limit rows of the longest run.
 */
export function* rowRuns(rows: ArrayLike<number>, limit: number): Generator<RowRun> {
  for (let position = 0; position < rows.length; ) {
    const firstRow = rows[position] ?? 0;
    let count = 1;
    while (count < limit && rows[position + count] === firstRow + count) count++;
    yield { position, firstRow, count };
    position += count;
  }
}
