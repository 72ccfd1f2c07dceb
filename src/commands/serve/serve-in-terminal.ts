import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { BhBridgeError, exitCodes } from "../../errors.js";
import { isDirectory } from "../../formats/file-bytes.js";
import { foreignLog, runFiles } from "../../runs/run-layout.js";
import type { ServeDocument } from "../../serve/documents.js";
import { type ServeOptions, type Serving, serve } from "../../serve/server.js";
import { planFileName } from "../../sweep/plan/plan-directory.js";
import { isArchive, openRunArchive, type RunArchive } from "../../sweep/run-archive.js";
import { shellQuote } from "../../text/escaping.js";
import type { Terminal } from "../terminal/terminal.js";
import { loopback, openInBrowser } from "./open-in-browser.js";

/** Served paths by kind. Disposing closes the archives. */
interface ServedPaths extends Disposable {
  /** Folders of runs, experiments and sweeps. */
  readonly folders: readonly string[];
  /** Single runs, experiments and sweeps. */
  readonly directories: readonly string[];
  readonly archives: readonly RunArchive[];
}

/** Sort paths by kind. @throws {BhBridgeError} `FILE_NOT_FOUND`; `USAGE` for a file that is no zip; as `openRunArchive`. */
export async function servedPaths(paths: readonly string[]): Promise<ServedPaths> {
  const [folders, directories, archives]: [string[], string[], RunArchive[]] = [[], [], []];
  const close = () => {
    for (const archive of archives) archive[Symbol.dispose]();
  };
  try {
    for (const path of paths.map((each) => resolve(each))) {
      if (isDirectory(path)) {
        const isOne = foreignLog(path) !== undefined || [runFiles.manifest, planFileName].some((sign) => existsSync(join(path, sign)));
        (isOne ? directories : folders).push(path);
      } else if (isArchive(path)) archives.push(await openRunArchive(path));
      else throw new BhBridgeError("USAGE", `${path} is neither a folder nor a zip: name a run, a folder of runs, or a zip of them`);
    }
    return { folders, directories, archives, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The command that forwards a port of this machine to the user's; undefined without an SSH connection. */
export function tunnelCommand(port: number, user: string, connection: string | undefined): string | undefined {
  const server = connection?.split(" ")[2];
  return server === undefined ? undefined : `ssh -N -L ${port}:127.0.0.1:${port} ${shellQuote(`${user}@${server}`)}`;
}

/** Print how to reach the page if the address alone is not enough. */
export function reportServer({ port }: Serving, { port: wanted, host }: ServeOptions, terminal: Terminal): void {
  if (wanted !== 0 && port !== wanted) terminal.say(`Port ${wanted} is in use: using port ${port}`);
  if (host !== loopback) {
    const warning = `Warning: other machines can reach the page at ${host}. Nothing is encrypted, and anyone with the token can stop runs`;
    terminal.say(terminal.messageColor.yellow(warning));
    return;
  }
  const tunnel = tunnelCommand(port, userInfo().username, process.env["SSH_CONNECTION"]);
  if (tunnel !== undefined) terminal.say(`Connected by SSH: run  ${tunnel}  on your own machine and open the address there`);
}

interface Served extends Pick<ServeOptions, "port" | "host" | "folders"> {
  readonly paths: readonly string[];
  readonly open: boolean;
}

export async function serveInTerminal({ paths, open, ...options }: Served, terminal: Terminal): Promise<void> {
  const ended = new Promise<number>((resolve) => {
    let isEnding = false;
    // Ctrl-C is the regular end of a server. Not `once`: execa ends the process if no other listener is registered while one of its programs runs.
    const onSignal = () => {
      if (isEnding) process.exit(exitCodes.ok);
      isEnding = true;
      resolve(exitCodes.ok);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
  using named = await servedPaths(paths);
  await using serving = await serve({ ...options, ...named, folders: [...options.folders, ...named.folders] });
  terminal.document({ schema: "bh-bridge/serve@1", url: serving.url } satisfies ServeDocument);
  terminal.print(serving.url);
  reportServer(serving, options, terminal);
  terminal.say("Press Ctrl-C to stop");
  using _opened = open ? openInBrowser(serving.url, () => terminal.say(`No browser could be opened. Open the page yourself:  ${serving.url}`)) : undefined;
  process.exitCode = await ended;
}
