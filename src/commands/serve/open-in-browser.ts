import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../python/session-folder.js";
import { escapeHtml } from "../../text/escaping.js";

/**
 * Open an address in a browser of this machine, through a file that only this user can read: the address holds a token, and every user of a machine can read
 * the arguments of a program. The file is deleted when this is disposed of, or when Node exits.
 * @param onFailure called when no browser could be opened.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`.
 */
export function openInBrowser(url: string, onFailure: () => void): Disposable {
  const folder = temporaryFolder("page"); // mode 0700
  const file = join(folder.path, "open.html");
  writeFileSync(file, redirectTo(url), { mode: 0o600, flag: "wx" });
  openFile(file, onFailure);
  return folder;
}

/** Open a file in the default program of the desktop. @param onFailure called when none could be started. */
export function openFile(path: string, onFailure: () => void): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  spawn(opener, [path], { stdio: "ignore", detached: true })
    .on("error", onFailure)
    .on("exit", (code) => code !== 0 && onFailure())
    .unref();
}

function redirectTo(url: string): string {
  const address = escapeHtml(url);
  const head = `<meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${address}">`;
  return `<!doctype html>\n<html lang="en">${head}<title>bh-bridge</title><p><a href="${address}">Open the page</a></p></html>\n`;
}

/** The default port. */
export const defaultPort = 8421;
/** Address that only this machine reaches. */
export const loopback = "127.0.0.1";
