import { relative, resolve, sep } from "node:path";

/** An absolute path with two parts or more; not the end of a URL, and not a pattern between slashes. */
const absolutePath = /(?<![\w.~:/])\/(?:[\w.@+-]+\/)+[\w.@+-]*/g;

/** A text in which every absolute path is relative to a directory, so that it can be published and read on another machine. */
export function withRelativePaths(text: string, directory: string): string {
  const base = resolve(directory);
  return text.replaceAll(`${base}${sep}`, "").replaceAll(absolutePath, (path) => relative(base, path) || ".");
}
