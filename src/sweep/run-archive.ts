import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { FileBytes } from "../formats/file-bytes.js";
import { unpackZip } from "../formats/zip/unpack-zip.js";
import { ZipArchive } from "../formats/zip/zip-archive.js";
import { temporaryFolder } from "../python/session-folder.js";
import { runFiles } from "../runs/run-layout.js";
import { printable } from "../text/escaping.js";
import { planFileName } from "./plan/plan-directory.js";

/** A zip of runs, experiments and sweeps, unpacked into a temporary folder that is removed on disposal or when Node exits. */
export interface RunArchive extends Disposable {
  readonly name: string;
  readonly folder: string;
  /** The runs, experiments and sweeps in it, without the runs inside an experiment or sweep. */
  readonly directories: readonly string[];
}

const maxBytes = 64 * 2 ** 30;
/** Of a file, and of an empty archive. */
const signatures: readonly string[] = ["PK\u0003\u0004", "PK\u0005\u0006"];
const signatureBytes = 4;
const signs: readonly string[] = [runFiles.manifest, planFileName];
/** Characters replaced in folder names. */
const strange = /[^\p{L}\p{N}._-]+|^\.+/gu;

export function isArchive(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  const file = new FileBytes(path);
  try {
    return file.size >= signatureBytes && signatures.includes(Buffer.from(file.read(0, signatureBytes, "the beginning")).toString("latin1"));
  } finally {
    file.close();
  }
}

/** Unpack an archive of runs. @param name its name, if the file has another. @throws {BhBridgeError} `RUN_NOT_FOUND` if it contains no run; as `unpackZip`. */
export async function openRunArchive(path: string, { name = basename(path), signal }: { name?: string; signal?: AbortSignal } = {}): Promise<RunArchive> {
  const file = new FileBytes(path);
  try {
    const archive = new ZipArchive(file);
    const inside = directoriesIn([...archive.entries.keys()]);
    if (inside.length === 0) {
      throw new BhBridgeError("RUN_NOT_FOUND", `${printable(name)} contains no run: no folder in it has a ${runFiles.manifest}`);
    }
    const temporary = temporaryFolder("archive");
    try {
      const folder = join(realpathSync.native(temporary.path), name.replace(/\.zip$/i, "").replace(strange, "-") || "archive");
      mkdirSync(folder);
      await unpackZip(file, archive, folder, maxBytes, signal);
      return { name, folder, directories: inside.map((directory) => join(folder, directory)), [Symbol.dispose]: () => temporary[Symbol.dispose]() };
    } catch (error) {
      temporary[Symbol.dispose]();
      throw error;
    }
  } finally {
    file.close();
  }
}

/** Replace each archive among the paths by its runs, experiments and sweeps. */
export async function withoutArchives(given: readonly string[], signal?: AbortSignal): Promise<{ readonly paths: readonly string[] } & Disposable> {
  const archives: RunArchive[] = [];
  const paths: string[] = [];
  const dispose = () => {
    for (const archive of archives) archive[Symbol.dispose]();
  };
  try {
    for (const path of given) {
      const archive = isArchive(path) ? await openRunArchive(path, signal && { signal }) : undefined;
      if (archive) archives.push(archive);
      paths.push(...(archive?.directories ?? [path]));
    }
    return { paths, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The outermost folders with a run or plan; "." is the archive itself. */
function directoriesIn(names: readonly string[]): string[] {
  const all = new Set(names.filter((name) => signs.includes(basename(name))).map((name) => dirname(name)));
  return [...all].filter((directory) => !ancestors(directory).some((above) => all.has(above))).sort();
}

function ancestors(directory: string): string[] {
  const above = dirname(directory);
  return above === directory ? [] : [above, ...ancestors(above)];
}
