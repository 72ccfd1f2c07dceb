import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, relative, resolve } from "node:path";
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { ConfigIssue } from "../errors.js";
import { configInvalid } from "./config-invalid.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layers.js";
import { resolvePaths } from "./paths-in-config.js";

const textFiles = [".json", ".yaml", ".yml"];
const moduleFiles = [".ts", ".mts", ".js", ".mjs"];

/** A configuration file: its layer, and the preset that it names. */
export interface ConfigFile {
  layer: Layer;
  /** The value of its `preset` and where that stands. */
  preset?: { name: unknown; source: string };
}

/** What a written file may hold: how a message calls it, and the function that defines it in TypeScript. */
interface Written {
  what: string;
  definedBy: string;
}

/** The object in a JSON, YAML, TypeScript or JavaScript file, as it was written. */
interface WrittenObject extends Layer {
  /** Absolute path. */
  file: string;
}

/**
 * Read a JSON, YAML, TypeScript or JavaScript file. A module exports the configuration as its default or under the name `config`.
 * @throws {BhBridgeError} `CONFIG_INVALID` when the file cannot be read, or is not what its name says.
 */
export async function readConfigFile(path: string, cwd: string): Promise<ConfigFile> {
  const { file, values, sourceOf } = await readWrittenObject(path, cwd, { what: "a configuration", definedBy: "defineRun" });
  const { preset, $schema: _, ...rest } = values;
  const layer = { values: resolvePaths(rest, dirname(file)), sourceOf };
  return preset === undefined ? { layer } : { layer, preset: { name: preset, source: sourceOf("preset") } };
}

/** Read the object in a file, whatever fields it has. @throws {BhBridgeError} as `readConfigFile`. */
export async function readWrittenObject(path: string, cwd: string, { what, definedBy }: Written): Promise<WrittenObject> {
  const file = resolve(cwd, path);
  if (!existsSync(file)) throw unusable(path, "there is no such file");
  const shown = relative(cwd, file).startsWith("..") ? file : relative(cwd, file);
  const { values, sourceOf } = await readValues(file, shown, { what, definedBy });
  if (!isPlainObject(values)) throw unusable(sourceOf(""), `does not hold an object with the fields of ${what}`);
  return { file, values, sourceOf };
}

async function readValues(file: string, shown: string, { what, definedBy }: Written): Promise<{ values: unknown; sourceOf: Layer["sourceOf"] }> {
  const extension = extname(file);
  if (moduleFiles.includes(extension)) return { values: await readModule(file, shown, definedBy), sourceOf: () => shown };
  if (!textFiles.includes(extension)) {
    throw unusable(shown, `is not ${what} file: the name must end in ${[...textFiles, ...moduleFiles].join(", ")}`);
  }
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw unusable(shown, `cannot be read (${String(cause)})`, cause);
  });
  const { values, places } = parseText(text, shown);
  return { values, sourceOf: (key) => places.get(key) ?? shown };
}

async function readModule(file: string, shown: string, definedBy: string): Promise<unknown> {
  const { createJiti } = await import("jiti");
  const jiti = createJiti(import.meta.url, { interopDefault: false, fsCache: false });
  const exported = await jiti.import<{ default?: unknown; config?: unknown }>(file).catch((cause: unknown) => {
    throw unusable(shown, `cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  });
  const values = exported.default ?? exported.config;
  if (values === undefined) throw unusable(shown, `exports no config: write "export default ${definedBy}({ … })" in ${basename(file)}`);
  return values;
}

/** Values of a YAML or JSON text, and `file:line:column` of each key by dotted path. JSON is read as the part of YAML that it is. */
function parseText(text: string, shown: string): { values: unknown; places: Map<string, string> } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${shown}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    // The parser has more than one complaint on a place where text is missing: the last is the plainest.
    const byPlace = new Map(document.errors.map(({ message, pos }): [number, ConfigIssue] => [pos[0], { path: shown, message, source: at(pos[0]) }]));
    throw configInvalid([...byPlace.values()], document.errors[0]);
  }
  const places = new Map<string, string>();
  findPlaces(document.contents, "", (path, offset) => places.set(path, at(offset)));
  return { values: valuesOf(document, shown), places };
}

function valuesOf(document: Document.Parsed, shown: string): unknown {
  try {
    return document.toJS() as unknown;
  } catch (cause) {
    throw unusable(shown, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function findPlaces(node: Node | null, prefix: string, found: (path: string, offset: number) => void): void {
  if (!isMap<Node, Node | null>(node)) return;
  for (const { key, value } of node.items) {
    const path = `${prefix}${isScalar(key) ? String(key.value) : String(key)}`;
    if (key.range) found(path, key.range[0]);
    findPlaces(value, `${path}.`, found);
  }
}

function unusable(path: string, message: string, cause?: unknown): Error {
  return configInvalid([{ path, message }], cause);
}
