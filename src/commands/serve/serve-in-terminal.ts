import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { BhBridgeError, exitCodes } from "../../errors.js";
import { isDirectory } from "../../formats/file-bytes.js";
import { runFiles } from "../../runs/run-layout.js";
import type { ServeDocument } from "../../serve/documents.js";
import { type ServeOptions, type Serving, serve } from "../../serve/server.js";
import { planFileName } from "../../sweep/plan/plan-directory.js";
import { isArchive, openRunArchive, type RunArchive } from "../../sweep/run-archive.js";
import { shellQuote } from "../../text/escaping.js";
import type { Terminal } from "../terminal/terminal.js";
import { loopback, openInBrowser } from "./open-in-browser.js";

/** What paths lead to; the archives are closed when this is disposed of. */
interface ServedPaths extends Disposable {
  /** Each holds runs, experiments and sweeps. */
  readonly folders: readonly string[];
  /** Single runs, experiments and sweeps. */
  readonly directories: readonly string[];
  readonly archives: readonly RunArchive[];
}

/** Tell apart what is to be served. @throws {BhBridgeError} `FILE_NOT_FOUND`; `USAGE` for a file that is no zip; what `openRunArchive` throws. */
export async function servedPaths(paths: readonly string[]): Promise<ServedPaths> {
  const [folders, directories, archives]: [string[], string[], RunArchive[]] = [[], [], []];
  const close = () => {
    for (const archive of archives) archive[Symbol.dispose]();
  };
  try {
    for (const path of paths.map((each) => resolve(each))) {
      if (isDirectory(path)) {
        const isOne = [runFiles.manifest, planFileName].some((sign) => existsSync(join(path, sign)));
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

/** The command that brings a port of this machine to the one that somebody sits at; undefined where nobody came by SSH. */
export function tunnelCommand(port: number, user: string, connection: string | undefined): string | undefined {
  const server = connection?.split(" ")[2];
  return server === undefined ? undefined : `ssh -N -L ${port}:127.0.0.1:${port} ${shellQuote(`${user}@${server}`)}`;
}

/** Tell how the page is reached, where its address alone does not do. */
export function tellOfServer({ port }: Serving, { port: wanted, host }: ServeOptions, terminal: Terminal): void {
  if (wanted !== 0 && port !== wanted) terminal.say(`Port ${wanted} is taken: this is port ${port}`);
  if (host !== loopback) {
    terminal.say(
      terminal.messageColor.yellow(
        `Warning: listening at ${host}, other machines reach the page. Nothing is encrypted, and whoever has the token can stop runs`,
      ),
    );
    return;
  }
  const tunnel = tunnelCommand(port, userInfo().username, process.env["SSH_CONNECTION"]);
  if (tunnel !== undefined) terminal.say(`You came by SSH. On your own machine run  ${tunnel}  and open the address there`);
}

/** What is served: folders of runs, and paths of whatever kind. */
interface Served extends Pick<ServeOptions, "port" | "host" | "folders"> {
  readonly paths: readonly string[];
  /** Whether a browser of this machine opens the page. */
  readonly open: boolean;
}

/** Serve until a signal comes. */
export async function serveInTerminal({ paths, open, ...options }: Served, terminal: Terminal): Promise<void> {
  const ended = new Promise<number>((resolve) => {
    process.once("SIGINT", () => resolve(exitCodes.ok)); // Ctrl-C is how a server is meant to end
    process.once("SIGTERM", () => resolve(exitCodes.ok));
  });
  using named = await servedPaths(paths);
  await using serving = await serve({ ...options, ...named, folders: [...options.folders, ...named.folders] });
  const document: ServeDocument = { schema: "bh-bridge/serve@1", url: serving.url };
  terminal.document(document);
  terminal.print(serving.url);
  tellOfServer(serving, options, terminal);
  terminal.say("Ctrl-C ends it");
  using _opened = open ? openInBrowser(serving.url, () => terminal.say(`No browser could be opened here. Open it yourself:  ${serving.url}`)) : undefined;
  process.exitCode = await ended;
}
