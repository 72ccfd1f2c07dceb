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

/** The npm packages that a worker imports: those of `sweep` and the folders below it. A test compares them. */
export const workerDependencies: readonly string[] = [
  ...["@petamoriken/float16", "env-paths", "execa", "fastest-levenshtein", "jstat", "ml-matrix", "ml-pca", "pure-rand"],
  ...["pythonia", "smol-toml", "yaml", "zod"],
];

/** Files that no worker needs. The Python side needs its WebAssembly, npm packages do not. */
const leftOut = /(\.d\.[cm]?ts|\.[cm]?ts|\.map|\.md|\.flow|\.pyc|(?<!portable)\.wasm)$|(^|\/)(__pycache__|web|test|tests|docs|examples?|node_modules)$/;

const packedSchema = z.strictObject({ sha256: z.string(), bytes: z.int().positive() });
const dependenciesSchema = z.looseObject({ dependencies: z.record(z.string(), z.string()).default({}) });

const packMs = 120_000;

/** A file to send: its local path and its name in the archive. */
export interface PackedFile {
  path: string;
  name: string;
}

/**
 * The files of this package that a worker needs, with the packages it imports. @throws {BhBridgeError} `FILE_NOT_FOUND` for a package that is not installed.
 */
export function workerFiles(root: string = packageRoot): PackedFile[] {
  const own = filesIn(join(root, "dist"), "dist");
  const described = ["package.json", "pyproject.toml"].map((name) => ({ path: join(root, name), name }));
  const packages = new Map<string, string>();
  for (const name of workerDependencies) addPackage(name, root, "", packages);
  return [...described, ...own, ...pythonFiles(root), ...[...packages].flatMap(([name, folder]) => filesIn(folder, name))];
}

export function pythonFiles(root: string = packageRoot): PackedFile[] {
  return filesIn(join(root, "python", "bh_bridge"), "python/bh_bridge");
}

/** Add a package and its dependencies, each where Node resolves it from its dependent. */
function addPackage(name: string, from: string, asker: string, packages: Map<string, string>): void {
  const folder = installed(name, from);
  const isNested = asker !== "" && folder === join(from, "node_modules", name);
  const packed = `${isNested ? `${asker}/` : ""}node_modules/${name}`;
  if (packages.has(packed)) return;
  packages.set(packed, folder);
  const { dependencies } = dependenciesSchema.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  for (const dependency of Object.keys(dependencies)) addPackage(dependency, folder, packed, packages);
}

/** The folder of a package, as Node resolves it. */
function installed(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (existsSync(join(found, "package.json"))) return found;
    if (folder === dirname(folder)) throw new BhBridgeError("FILE_NOT_FOUND", `the package ${name} is not installed for ${from}: run npm install`);
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
 * @param folder for the archive and its file list.
 * @returns the archive's path, and a hash of names and contents that does not depend on their location.
 */
export async function pack(files: readonly PackedFile[], folder: string, interpreter: string, signal?: AbortSignal): Promise<{ path: string; sha256: string }> {
  const path = join(folder, "package.zip");
  const list = join(folder, "files.json");
  writeFileSync(list, JSON.stringify(files.map((file) => [file.name, file.path])));
  const packed = packedSchema.parse(await runPythonScript(interpreter, { file: "scripts/pack_files.py", args: [list, path], timeoutMs: packMs, signal }));
  return { path, sha256: packed.sha256 };
}

export interface JobContent {
  files: readonly PackedFile[];
  /** Ray's `runtime_env` besides the files: `pip`, `conda`, `env_vars`, … */
  runtimeEnv: Readonly<Record<string, unknown>> | undefined;
  variables?: Readonly<Record<string, string>>;
}

/**
 * Upload files to a cluster, unless it has them already.
 * @returns the runtime environment of a job with these files in its working directory.
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

/** The head node holds the files of a job in memory. */
const maxBytes = 256 << 20;

/**
 * Weights, initial states and tokenizers that configurations name by path. They are sent by content if possible; otherwise the nodes need shared storage.
 * @returns the files to send, and what happened to each path.
 */
export function namedFiles(configs: readonly RunConfig[]): { packed: PackedFile[]; files: Record<string, SentFile> } {
  const packed = new Map<string, PackedFile>();
  const files: Record<string, SentFile> = {};
  let left = maxBytes;
  for (const path of new Set(configs.flatMap(pathsOf))) {
    if (!existsSync(path)) continue; // the trial reports it, wherever it is trained
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
  if (path.endsWith(".index.json")) return "it is an index of other files";
  const megabytes = (value: number) => `${Math.ceil(value / 2 ** 20)} MiB`;
  if (bytes > left) return `it has ${megabytes(bytes)}, but at most ${megabytes(maxBytes)} are sent in all`;
  return undefined;
}

/** A history is read with its index, if it has one. */
function besideIt(path: string): { path: string; name: string }[] {
  const index = indexPathOf(path);
  return index !== path && existsSync(index) && statSync(path).isFile() ? [{ path: index, name: join("..", basename(index)) }] : [];
}
