import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { isDirectory } from "../file-bytes.js";

/** What a file of documents is: a text (one document), JSON lines, or a table with a column of documents. */
type TextForm = "plain" | "jsonl" | "parquet" | "arrow";

/** A file of documents. */
export interface TextFile {
  path: string;
  form: TextForm;
  compression: "gzip" | "zstd" | null;
}

/** Whether a path names a file of token ids: `.npy`, or `.bin` of uint16 as nanoGPT writes it. Python decides in the same way. */
export function isTokenArray(path: string): boolean {
  return tokenSuffix(path) !== "";
}

/** The suffix of a file of token ids, else nothing. */
export function tokenSuffix(path: string): string {
  return /\.(?:npy|bin)$/.exec(path)?.[0] ?? "";
}

/** Names of the files that are read in a folder. */
const suffixes = /\.(?:txt|jsonl|ndjson)(?:\.gz|\.zst)?$|\.parquet$/;
const readable = ".txt, .jsonl (each also as .gz or .zst) or .parquet";

/**
 * The files of a text, in order: a file itself, those that a glob matches, those in a folder by name, or the tables of a saved dataset.
 * @throws {BhBridgeError} `CORPUS_INVALID` if there are none.
 */
export function textFiles(path: string): TextFile[] {
  if (!existsSync(path)) return (globFrom(path) === -1 ? [path] : globbed(path)).map(textFile);
  if (!isDirectory(path)) return [textFile(path)];
  const tables = tablesOfDataset(path);
  if (tables) return tables.map((file) => ({ path: file, form: "arrow", compression: null }));
  const found = filesBelow(path).filter((file) => suffixes.test(file));
  if (found.length === 0) {
    const arrays = filesBelow(path).find(isTokenArray);
    throw invalid(path, `has no ${readable}${arrays === undefined ? "" : `. To train on token ids, name their file: ${arrays}`}`);
  }
  return found.map(textFile);
}

function textFile(path: string): TextFile {
  const compression = path.endsWith(".gz") ? "gzip" : path.endsWith(".zst") ? "zstd" : null;
  const name = compression === null ? path : path.slice(0, path.lastIndexOf("."));
  const form = /\.(?:jsonl|ndjson)$/.test(name) ? "jsonl" : name.endsWith(".parquet") ? "parquet" : "plain";
  if (form === "parquet" && compression !== null) throw invalid(path, "is a compressed .parquet, which compresses its columns itself: decompress it");
  return { path, form, compression };
}

/** The tables of a folder of `datasets.save_to_disk`, undefined for another folder. */
function tablesOfDataset(folder: string): string[] | undefined {
  if (existsSync(join(folder, "dataset_dict.json"))) {
    const splits = readdirSync(folder).filter((name) => existsSync(join(folder, name, "state.json")));
    throw invalid(folder, `is a saved dataset with the splits ${splits.join(", ")}: name one of them, such as ${join(folder, splits[0] ?? "train")}`);
  }
  const state = join(folder, "state.json");
  if (!existsSync(state)) return undefined;
  try {
    const { _data_files: files } = JSON.parse(readFileSync(state, "utf8")) as { _data_files: { filename: string }[] };
    return files.map(({ filename }) => join(folder, filename));
  } catch (cause) {
    throw invalid(folder, `has a state.json that datasets.save_to_disk did not write: ${(cause as Error).message}`, cause);
  }
}

/** All files in a folder and its folders, sorted by path, without hidden ones. */
function filesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => !name.split(sep).some((part) => part.startsWith(".")));
  return names
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** The files that a glob matches, sorted by path. `*` and `?` stay within a name, `**` spans folders, `{a,b}` and `[ab]` choose. */
function globbed(pattern: string): string[] {
  const folder = pattern.slice(0, pattern.lastIndexOf(sep, globFrom(pattern)) + 1) || ".";
  const matches = expressionOf(relative(folder, pattern));
  const found = existsSync(folder) ? filesBelow(folder).filter((path) => matches.test(relative(folder, path))) : [];
  if (found.length === 0) throw invalid(pattern, "matches no file");
  const array = found.find(isTokenArray);
  if (array !== undefined) throw invalid(pattern, `matches ${array}, a file of token ids: name it by itself`);
  return found;
}

/** Index of the first character that makes a path a glob, -1 if there is none. */
function globFrom(path: string): number {
  return path.search(/[*?[{]/);
}

function expressionOf(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/|\*\*|\*|\?|\[[^\]]+\]|\{[^}]+\})/);
  const known: Record<string, string> = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
  const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = parts.map((part) => {
    if (Object.hasOwn(known, part)) return known[part];
    if (part.startsWith("[") && part.length > 1) return part.replace("[!", "[^").replaceAll("\\", "\\\\");
    if (part.startsWith("{") && part.length > 1) return `(?:${part.slice(1, -1).split(",").map(escaped).join("|")})`;
    return escaped(part);
  });
  return new RegExp(`^${source.join("")}$`, "u");
}

/** The error for a text that cannot be read. @param at a file, with the line or row if known. */
export function invalid(at: string, problem: string, cause?: unknown): BhBridgeError {
  return new BhBridgeError("CORPUS_INVALID", `${at} ${problem}`, cause === undefined ? {} : { cause });
}
