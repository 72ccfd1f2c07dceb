import { existsSync, readFileSync } from "node:fs";
import { BhBridgeError } from "../errors.js";
import { durableWrite } from "../formats/durable-write.js";
import { packageManifest } from "../python/package-manifest.js";
import { htmlOfPage } from "./html-of-page.js";
import type { Page } from "./page.js";

/** Stands in the first lines of every report of ours: such a file may be replaced. */
const marks = { html: '<meta name="generator" content="bh-bridge ', md: "<!-- made by bh-bridge report -->" } as const;

/** Write a report as one HTML file; an earlier report is replaced, and nothing else is. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function writeHtml(path: string, page: Page): void {
  requireOwn(path, marks.html);
  durableWrite(path, htmlOfPage(page, packageManifest().version));
}

/** Write a report that is Markdown; as `writeHtml`. */
export function writeMarkdown(path: string, markdown: string): void {
  requireOwn(path, marks.md);
  durableWrite(path, `${markdown}\n${marks.md}\n`);
}

function requireOwn(path: string, mark: string): void {
  if (!existsSync(path)) return;
  if (isOwn(path, mark)) return;
  throw new BhBridgeError("FILE_UNWRITABLE", `${path} is no report of bh-bridge, and is not replaced: name another file with -o`);
}

function isOwn(path: string, mark: string): boolean {
  try {
    return readFileSync(path, "utf8").includes(mark);
  } catch {
    return false; // a folder, or what may not be read
  }
}
