import { exitCodes } from "../../errors.js";
import type { ServeDocument } from "../../serve/documents.js";
import { servedPaths } from "../../serve/served-paths.js";
import { type ServeOptions, serve } from "../../serve/server.js";
import type { Terminal } from "../terminal/terminal.js";
import { openInBrowser } from "./open-in-browser.js";
import { tellOfServer } from "./tell-of-server.js";

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
