import { type PathBasis, pathBasis } from "../../analysis/path-basis.js";
import type { RunSource } from "../runs/run-source.js";

/** The view of a run's whole training that its figures share, of about a second's work. */
export function basisOfRun(run: RunSource): Promise<PathBasis> {
  return run.once(makeBasis);
}

async function makeBasis(run: RunSource): Promise<PathBasis> {
  return pathBasis(await run.history(), { axes: 3, work: 1e9, signal: run.scan.signal });
}
