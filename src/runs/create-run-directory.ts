import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { durableWrite, writeError } from "./durable-write.js";
import { runDirectoryName } from "./run-name.js";

/** Two runs of one configuration may start in the same second; a folder that exists is never used again. */
const maxAttempts = 1000;

/**
 * Make a new folder for a run and write its configuration there.
 *
 * @param out the folder that holds the runs; made when it is absent.
 * @returns the absolute path.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`.
 */
export function createRunDirectory(out: string, name: string, configHash: string, config: object): string {
  const parent = resolve(out);
  const base = join(parent, runDirectoryName(new Date(), name, configHash));
  try {
    mkdirSync(parent, { recursive: true });
  } catch (cause) {
    throw writeError(parent, cause);
  }
  for (let attempt = 1; ; attempt++) {
    const directory = attempt === 1 ? base : `${base}-${attempt}`;
    try {
      mkdirSync(directory);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST" && attempt < maxAttempts) continue;
      throw writeError(directory, cause);
    }
    durableWrite(join(directory, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
    return directory;
  }
}
