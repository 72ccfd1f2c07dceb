import { BhBridgeError } from "../errors.js";

/**
 * The rows that an analysis looks at: ascending and distinct, all `count` of them when `rows` is absent.
 *
 * @throws {BhBridgeError} `USAGE` when a row is not an integer from 0 to `count − 1`.
 */
export function selectRows(count: number, rows?: readonly number[]): Int32Array {
  if (rows === undefined) return new Int32Array(count).map((_, row) => row);
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= count) {
      throw new BhBridgeError("USAGE", `row ${row} is not in a matrix of ${count} rows; name rows from 0 to ${count - 1}`);
    }
  }
  return Int32Array.from(new Set(rows)).sort();
}
