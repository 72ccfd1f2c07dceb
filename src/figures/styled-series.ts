import type { Series } from "./figure.js";

/** A series of an index: colour, dashes and marker go together, so that grey print tells it from the others too. */
export function seriesOf(name: string, index: number): Series {
  return { name, palette: "series", color: index, dash: index, marker: index };
}

/**
 * The series of several quantities of several runs, run by run: a run keeps its colour and marker, a quantity its dashes. The names say only what differs.
 *
 * @param quantities names of what is drawn of each run.
 * @param runs names of the runs.
 */
export function styledSeries(quantities: readonly string[], runs: readonly string[]): Series[] {
  if (runs.length <= 1) return quantities.map((quantity, index) => seriesOf(quantities.length > 1 ? quantity : "", index));
  if (quantities.length <= 1) return runs.map(seriesOf);
  return runs.flatMap((run, ofRun) =>
    quantities.map((quantity, ofQuantity) => ({ name: `${quantity}, ${run}`, palette: "series" as const, color: ofRun, dash: ofQuantity, marker: ofRun })),
  );
}
