import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { RunConfig } from "../../../config/run-config-schema.js";
import { BhBridgeError } from "../../../errors.js";
import { packageRoot } from "../../../python/package-manifest.js";
import { runPythonScript } from "../../../python/run-python-script.js";
import { temporaryFolder } from "../../../python/session-folder.js";
import { indexPathOf } from "../../../runs/run-layout.js";
import { contentHash, filesOf, type SentFile } from "../../pool/sent-files.js";
import type { RayCluster } from "./ray-cluster.js";

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

/** What a job finds on each node. */
export interface JobContent {
  files: readonly PackedFile[];
  /** What Ray makes there beside them: `pip`, `conda`, `env_vars`, … */
  runtimeEnv: Readonly<Record<string, unknown>> | undefined;
  /** Environment variables of our own. */
  variables?: Readonly<Record<string, string>>;
}

/**
 * Let a cluster have files, unless it has them already.
 *
 * @param interpreter packs them.
 * @returns the runtime environment of a job that finds them in its working folder.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`, `ABORTED`.
 */
export async function jobEnvironment(
  cluster: RayCluster,
  { files, runtimeEnv = {}, variables }: JobContent,
  interpreter: string,
  signal?: AbortSignal,
): Promise<Record<string, unknown>> {
  using folder = temporaryFolder("ray");
  const { path, sha256 } = await pack(files, folder.path, interpreter, signal);
  const name = `_ray_pkg_bh_bridge_${sha256.slice(0, 32)}.zip`;
  if (!(await cluster.hasPackage(name, signal))) await cluster.upload(name, readFileSync(path), signal);
  const given = (runtimeEnv["env_vars"] ?? {}) as Record<string, string>;
  return { ...runtimeEnv, working_dir: `gcs://${name}`, env_vars: { ...given, ...variables } };
}

/** What travels with a job lies in the memory of the head node meanwhile. */
const mostBytes = 256 << 20;

/**
 * What configurations name by path beside their text: weights, initial states, tokenizers. What can travel with a job does, by its content; what cannot has to
 * be seen by the nodes.
 *
 * @returns the files to send, and what the nodes are told of each path.
 */
export function namedFiles(configs: readonly RunConfig[]): { packed: PackedFile[]; files: Record<string, SentFile> } {
  const packed = new Map<string, PackedFile>();
  const files: Record<string, SentFile> = {};
  let left = mostBytes;
  for (const path of new Set(configs.flatMap(pathsOf))) {
    if (!existsSync(path)) continue; // the trial says so, wherever it is trained
    const own = filesOf(path);
    const bytes = own.reduce((sum, file) => sum + statSync(file.path).size, 0);
    const whyNot = reasonToStay(path, bytes, left);
    if (whyNot !== undefined) {
      files[path] = { whyNot };
      continue;
    }
    left -= bytes;
    const sha256 = contentHash(path);
    const name = `files/${sha256}`;
    files[path] = { name, sha256 };
    for (const file of [...own, ...besideIt(path)]) {
      const packedName = join(name, basename(path), file.name);
      packed.set(packedName, { path: file.path, name: packedName });
    }
  }
  return { packed: [...packed.values()], files };
}

function pathsOf({ model, init, data }: RunConfig): string[] {
  return [model.from, init.kind === "file" ? init.path : null, data.tokenizer].filter((path) => path !== null);
}

function reasonToStay(path: string, bytes: number, left: number): string | undefined {
  if (path.endsWith(".index.json")) return "it is an index, whose parts lie beside it";
  const megabytes = (value: number) => `${Math.ceil(value / 2 ** 20)} MiB`;
  if (bytes > left) return `it has ${megabytes(bytes)}, and what configurations name may have ${megabytes(mostBytes)} in all`;
  return undefined;
}

/** A history is read with its index, where it has one. */
function besideIt(path: string): { path: string; name: string }[] {
  const index = indexPathOf(path);
  return index !== path && existsSync(index) && statSync(path).isFile() ? [{ path: index, name: join("..", basename(index)) }] : [];
}
