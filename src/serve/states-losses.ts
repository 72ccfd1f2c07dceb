import { containedFile } from "../formats/contained-file.js";
import { FileBytes } from "../formats/file-bytes.js";
import { indexRecordBytes, parseIndexRecord } from "../runs/history-index.js";
import { historyFile, indexPathOf } from "../runs/run-layout.js";
import type { Line } from "./reduce-series.js";

/** The loss of every recorded step, from the index of a run's history; nothing where there is none. A hundredth of the time that the event log takes. */
export function statesLosses(directory: string): Line | undefined {
  let file: FileBytes;
  try {
    file = new FileBytes(containedFile(directory, indexPathOf(historyFile)));
  } catch {
    return undefined; // a run that has not got that far
  }
  try {
    const records = Math.floor(file.size / indexRecordBytes);
    const bytes = Buffer.from(file.read(0, records * indexRecordBytes, "its records").buffer);
    const all = Array.from({ length: records }, (_, at) => parseIndexRecord(bytes, at));
    const end = all.findIndex(({ step }, at) => at > 0 && step <= (all[at - 1]?.step ?? 0)); // what follows has room, and no record yet
    const losses = all.slice(0, end < 0 ? records : end).filter(({ loss }) => !Number.isNaN(loss));
    return { x: losses.map(({ step }) => step), y: losses.map(({ loss }) => loss) };
  } finally {
    file.close();
  }
}
