import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeError } from "../formats/durable-write.js";
import { runFiles } from "./run-layout.js";

/** Ask a training to end after its step, with a checkpoint, as Ctrl-C does; whoever trains the run heeds it. @throws {BhBridgeError} `FILE_UNWRITABLE`. */
export function requestStop(directory: string): void {
  const path = join(directory, runFiles.stop);
  try {
    writeFileSync(path, "", { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(path, cause);
  }
}
