const digits = 4;
const smallestPlain = 1e-3;
const largestPlain = 1e6;
const smallestShownP = 1e-4;

/** A number of a result as a person reads it: four digits, a true minus; a dash for none. */
export function shownFigure(value: number | null): string {
  if (value === null) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < smallestPlain || size >= largestPlain) ? size.toExponential(digits - 2) : String(Number(size.toPrecision(digits)));
  return value < 0 ? `−${text}` : text;
}

/** A p value: two digits, none pretended below 0.0001. */
export function shownP(p: number | null): string {
  if (p === null) return "–";
  return p < smallestShownP ? "< 0.0001" : String(Number(p.toPrecision(2)));
}

/** A bound of a share: two digits, rounded up where it rules out what lies above it, or down where it allows what lies below it, so that it still is one. */
export function shownBound(share: number, direction: "up" | "down" = "up"): string {
  const percent = 100 * share;
  const unit = 10 ** (Math.floor(Math.log10(percent)) - 1);
  const units = direction === "up" ? Math.ceil(percent / unit) : Math.floor(percent / unit);
  return `${Number((units * unit).toPrecision(2))} %`;
}
