import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { containedFile } from "../formats/contained-file.js";
import { FileBytes } from "../formats/file-bytes.js";
import { indexRecordBytes, isSoundRecord, lossOfRecord, stepOfRecord } from "../formats/index-record.js";
import { stepsDone } from "../runs/history-index.js";
import { historyFile, indexPathOf } from "../runs/run-layout.js";
import type { Line } from "./line.js";

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
    const committed = stepsDone(join(directory, historyFile)) ?? -1;
    const line = { x: [] as number[], y: [] as number[] };
    for (let at = 0, last = -1; at < records; at++) {
      const step = stepOfRecord(bytes, at);
      if (step <= last) break; // what follows has room, and no record yet
      if (at <= committed && !isSoundRecord(bytes, at))
        throw new BhBridgeError("RUN_CORRUPT", `${file.path} is damaged: record ${at} does not have its own CRC-32`);
      last = step;
      const loss = lossOfRecord(bytes, at);
      if (Number.isNaN(loss)) continue;
      line.x.push(step);
      line.y.push(loss);
    }
    return line;
  } finally {
    file.close();
  }
}
