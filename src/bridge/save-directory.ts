import { relative, resolve } from "node:path";
import { BhBridgeError } from "../errors.js";

/**
 * The absolute path of a directory to save into, which may take the place of one that is there.
 *
 * @throws {BhBridgeError} `USAGE` for an empty path, and for the working directory or one that holds it: it would be replaced under the program's feet.
 */
export function saveDirectory(directory: string): string {
  if (typeof directory !== "string" || directory.trim() === "") {
    throw new BhBridgeError("USAGE", `directory: ${JSON.stringify(directory) ?? "undefined"} is not the path of a directory. Name the one to save into`);
  }
  const path = resolve(directory);
  if (!relative(path, process.cwd()).startsWith("..")) {
    throw new BhBridgeError("USAGE", `directory: ${path} is the working directory, or holds it. Name a directory of the model's own`);
  }
  return path;
}
