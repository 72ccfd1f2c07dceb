import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * Absolute path of a file of another package that the build copies beside the program (`scripts/build.mjs`), so that users do not install all of that package.
 *
 * @param source where the file is in a checkout that runs from its sources: `package/path/file`.
 */
export function shippedFile(source: string): string {
  const built = fileURLToPath(new URL(`../assets/${source.slice(source.lastIndexOf("/") + 1)}`, import.meta.url));
  return existsSync(built) ? built : createRequire(import.meta.url).resolve(source);
}
