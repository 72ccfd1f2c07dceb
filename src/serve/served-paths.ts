import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { BhBridgeError } from "../errors.js";
import { isDirectory } from "../formats/file-bytes.js";
import { runFiles } from "../runs/run-layout.js";
import { planFileName } from "../sweep/plan/plan-file.js";
import { isArchive, openRunArchive, type RunArchive } from "../sweep/run-archive.js";

/** What paths lead to; the archives are closed when this is disposed of. */
interface ServedPaths extends Disposable {
  /** Each holds runs, experiments and sweeps. */
  readonly folders: readonly string[];
  /** Single runs, experiments and sweeps. */
  readonly directories: readonly string[];
  readonly archives: readonly RunArchive[];
}

/** Tell apart what is to be served. @throws {BhBridgeError} `FILE_NOT_FOUND`; `USAGE` for a file that is no zip; what `openRunArchive` throws. */
export async function servedPaths(paths: readonly string[]): Promise<ServedPaths> {
  const [folders, directories, archives]: [string[], string[], RunArchive[]] = [[], [], []];
  const close = () => {
    for (const archive of archives) archive[Symbol.dispose]();
  };
  try {
    for (const path of paths.map((each) => resolve(each))) {
      if (isDirectory(path)) {
        const isOne = [runFiles.manifest, planFileName].some((sign) => existsSync(join(path, sign)));
        (isOne ? directories : folders).push(path);
      } else if (isArchive(path)) archives.push(await openRunArchive(path));
      else throw new BhBridgeError("USAGE", `${path} is neither a folder nor a zip: name a run, a folder of runs, or a zip of them`);
    }
    return { folders, directories, archives, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}
