import { scanHistory } from "../../analysis/scan/scan-history.js";
import type { RunSource } from "../runs/run-figure.js";
import { observation as centroids } from "./centroid-scan.js";
import { observation as levels } from "./stillness-scan.js";

/** What one more pass over a history tells that its analysis does not keep. */
export interface MotionPath {
  /** Of every state, `[states, dims]`. */
  readonly centroids: Float64Array;
  /** Of every step and followed row (`followedRows`), 0 to 3, as `stillness-scan.ts` says. */
  readonly levels: Uint8Array;
}

/** Read the history of a run once for all figures that follow its rows. */
export function motionPath(run: RunSource): Promise<MotionPath> {
  return run.once(read);
}

async function read(run: RunSource): Promise<MotionPath> {
  const { observed } = await scanHistory(await run.history(), [centroids, levels], run.scan);
  return { centroids: observed[0], levels: observed[1] };
}
