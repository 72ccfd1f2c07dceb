import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { type TrainEvent, trainEventSchema } from "../protocol/events.js";
import { runFiles } from "./run-layout.js";

/**
 * The events of a run, in order. A torn last line (of a run that lives, or was killed) is left out.
 *
 * @throws {BhBridgeError} `RUN_CORRUPT` with the line, for damage anywhere else; `RUN_NOT_FOUND`.
 */
export function readEvents(directory: string): TrainEvent[] {
  const path = join(directory, runFiles.events);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: its ${runFiles.events} cannot be read`, { cause });
  }
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)
    .map((line, index) => {
      try {
        return trainEventSchema.parse(JSON.parse(line));
      } catch (cause) {
        throw new BhBridgeError("RUN_CORRUPT", `${path}, line ${index + 1} is not an event of a run`, { cause });
      }
    });
}
