import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../python/session-folder.js";
import { escapeHtml } from "../../text/escaping.js";

/**
 * Open an address in a browser of this machine.
 *
 * The address has a token, and every user of a machine can read the arguments of a program: the browser gets a file that leads there, which only this user
 * can read. The file goes when this is disposed of, or when Node exits.
 *
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

/** Open a file in the program that the user's desktop has for it. @param onFailure called when none could be started. */
export function openFile(path: string, onFailure: () => void): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  spawn(opener, [path], { stdio: "ignore", detached: true })
    .on("error", onFailure)
    .on("exit", (code) => code !== 0 && onFailure())
    .unref();
}

function redirectTo(url: string): string {
  const address = escapeHtml(url);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${address}">
<title>bh-bridge</title>
<p><a href="${address}">Open the page</a></p>
</html>
`;
}

/** The port that is tried first. */
export const usualPort = 8421;
/** Reached from this machine alone. */
export const loopback = "127.0.0.1";
