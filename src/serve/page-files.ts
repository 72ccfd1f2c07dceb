import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { packageRoot } from "../python/package-root.js";

/** A file of the page, as it is sent. */
interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Its name says what is in it, so that a browser need not ask again. */
  readonly isFixed: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * The files of the built page by their address. They are read once, and nothing else is ever sent from a disk by its name.
 *
 * @throws {BhBridgeError} `INTERNAL` where the page was not built.
 */
export function readPageFiles(folder: string = join(packageRoot, "dist", "web")): ReadonlyMap<string, PageFile> {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => Object.hasOwn(types, extname(name)));
    return new Map(
      names.map((name) => {
        const type = types[extname(name)] ?? "";
        const address = name === "index.html" ? "/" : `/${name.replaceAll("\\", "/")}`;
        return [address, { type, bytes: readFileSync(join(folder, name)), isFixed: address.startsWith("/assets/") }];
      }),
    );
  } catch (cause) {
    throw new BhBridgeError("INTERNAL", `the page is not in ${folder}: build it with "node scripts/build.mjs", or install the package anew`, { cause });
  }
}
