/** Kinds of marks on a replay. Each has its own shape and its own colour, a variable of the style sheet. */
export const stageMarks = [
  { kind: "live", colour: "--live", text: "token of the text" },
  { kind: "dead", colour: "--dead", text: "dead token" },
  { kind: "hole", colour: "--hole", text: "black hole, area by tokens" },
  { kind: "followed", colour: "--followed", text: "followed token" },
] as const;
export type StageMark = (typeof stageMarks)[number]["kind"];

/** The text of a black hole. */
export function holeText(population: number): string {
  return `${population.toLocaleString("en").replaceAll(",", "\u202f")} tokens`;
}

/** A scale bar: the longest of 1, 2 or 5 times a power of ten that has at most `most` pixels. */
export function scaleBar(pixelsPerUnit: number, most: number): { readonly pixels: number; readonly text: string } | undefined {
  const longest = most / pixelsPerUnit;
  if (!Number.isFinite(longest) || longest <= 0) return undefined;
  const power = 10 ** Math.floor(Math.log10(longest));
  const digit = [5, 2, 1].find((each) => each * power <= longest * (1 + 1e-12)) ?? 1;
  const length = digit * power;
  const text = power >= 1e4 || power < 1e-3 ? length.toExponential(0) : String(Number(length.toPrecision(1)));
  return { pixels: length * pixelsPerUnit, text };
}

/** A component with a smaller share of a direction is not named. */
const leastNamed = 0.1;

/**
 * The name of a direction of view and its share of the variance: "PC1 96 %". Principal components are uncorrelated, so the variance along a mixture is the mean of
 * theirs, weighted by the squares of its coordinates.
 *
 * @param axis unit vector in the basis of the principal components.
 * @param shares share of the variance along each component; omitted in the text if unknown.
 */
export function axisText(axis: readonly number[], shares?: readonly number[]): string {
  const weights = axis.map((share) => share * share);
  const named = weights.flatMap((weight, at) => (weight >= leastNamed ? [{ at, weight }] : [])).sort((a, b) => b.weight - a.weight);
  const name = named.map(({ at }) => `PC${at + 1}`).join(" + ");
  return shares === undefined || shares.length === 0 ? name : `${name} ${percent(weights.reduce((sum, weight, at) => sum + weight * (shares[at] ?? 0), 0))}`;
}

function percent(share: number): string {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share > 0.99 && share < 1) return "> 99 %";
  return `${Math.round(share * 100)} %`;
}
