import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { packageRoot } from "../../../python/package-root.js";
import { runPythonScript } from "../../../python/run-python-script.js";

/** What a worker imports of the packages that this one depends on: those of `sweep` and the folders below it. A test compares. */
export const workerDependencies: readonly string[] = [
  ...["@petamoriken/float16", "env-paths", "execa", "fastest-levenshtein", "jstat", "ml-matrix", "ml-pca", "pure-rand"],
  ...["pythonia", "smol-toml", "yaml", "zod"],
];

/** What no program needs to run. */
const leftOut = /(\.d\.[cm]?ts|\.[cm]?ts|\.map|\.md|\.flow|\.pyc|\.wasm)$|(^|\/)(__pycache__|web|test|tests|docs|examples?|node_modules)$/;

const packedSchema = z.strictObject({ sha256: z.string(), bytes: z.int().positive() });
const dependenciesSchema = z.looseObject({ dependencies: z.record(z.string(), z.string()).default({}) });

/** Packing some thousand small files takes a second or two. */
const packMs = 120_000;

/** A file that travels: where it lies here, and what it is called there. */
export interface PackedFile {
  path: string;
  name: string;
}

/** The files of this package that a worker needs, with the packages that they import. @throws {BhBridgeError} `FILE_NOT_FOUND` where one is not installed. */
export function workerFiles(root: string = packageRoot): PackedFile[] {
  const own = filesIn(join(root, "dist"), "dist");
  const described = ["package.json", "pyproject.toml"].map((name) => ({ path: join(root, name), name }));
  const packages = new Map<string, string>();
  for (const name of workerDependencies) addPackage(name, root, "", packages);
  return [...described, ...own, ...pythonFiles(root), ...[...packages].flatMap(([name, folder]) => filesIn(folder, name))];
}

/** The Python half of this package. */
export function pythonFiles(root: string = packageRoot): PackedFile[] {
  return filesIn(join(root, "python", "bh_bridge"), "python/bh_bridge");
}

/** Add a package and what it depends on: each where Node will look for it from the one that asks for it. */
function addPackage(name: string, from: string, asker: string, packages: Map<string, string>): void {
  const folder = installed(name, from);
  const isNested = asker !== "" && folder === join(from, "node_modules", name);
  const packed = `${isNested ? `${asker}/` : ""}node_modules/${name}`;
  if (packages.has(packed)) return;
  packages.set(packed, folder);
  const { dependencies } = dependenciesSchema.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  for (const dependency of Object.keys(dependencies)) addPackage(dependency, folder, packed, packages);
}

/** The folder of a package, as Node finds it from another. */
function installed(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (existsSync(join(found, "package.json"))) return found;
    if (folder === dirname(folder)) throw new BhBridgeError("FILE_NOT_FOUND", `the package ${name} is not installed beside ${from}: run npm install`);
  }
}

function filesIn(folder: string, name: string): PackedFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (leftOut.test(entry.name)) return [];
    const file = { path: join(folder, entry.name), name: `${name}/${entry.name}` };
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && statSync(file.path).isDirectory());
    return isFolder ? filesIn(file.path, file.name) : [file];
  });
}

/**
 * Pack files for a cluster.
 *
 * @param folder where the archive and the list of its files are written.
 * @returns its path, and the hash of names and contents: equal files have the same wherever they lie.
 */
export async function pack(files: readonly PackedFile[], folder: string, interpreter: string, signal?: AbortSignal): Promise<{ path: string; sha256: string }> {
  const path = join(folder, "package.zip");
  const list = join(folder, "files.json");
  writeFileSync(list, JSON.stringify(files.map((file) => [file.name, file.path])));
  const packed = packedSchema.parse(await runPythonScript(interpreter, { file: "scripts/pack_files.py", args: [list, path], timeoutMs: packMs, signal }));
  return { path, sha256: packed.sha256 };
}
