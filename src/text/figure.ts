/** A figure in five columns or so, whatever its size; a dash for one that there is not. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 0.001 && size < 100_000 ? value.toPrecision(4) : value.toExponential(2);
}
