/** So many rows of a series are read at a glance. */
const maxRows = 12;

/** Of the numbers `first` to `last`, those whose rows a table shows: at most 12, evenly spread, both ends among them. */
export function glance(first: number, last: number): number[] {
  const rows = Math.min(last - first + 1, maxRows);
  return Array.from({ length: rows }, (_, row) => Math.round(first + ((last - first) * row) / Math.max(rows - 1, 1)));
}
