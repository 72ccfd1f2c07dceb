import { serve } from "../../serve/server.js";
import type { Terminal } from "../terminal/terminal.js";
import { loopback, usualPort } from "./address.js";
import { tellOfServer } from "./tell-of-server.js";

/** Serve the page beside what else this process does, until it is disposed of. */
export async function serveBeside(folder: string, terminal: Terminal): Promise<AsyncDisposable> {
  const options = { folders: [folder], port: usualPort, host: loopback };
  const serving = await serve(options);
  terminal.say(`Watch it at  ${serving.url}`);
  tellOfServer(serving, options, terminal);
  return serving;
}
