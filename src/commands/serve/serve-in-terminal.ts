import { userInfo } from "node:os";
import { exitCodes } from "../../errors.js";
import type { ServeDocument } from "../../serve/documents.js";
import { type ServeOptions, type Serving, serve } from "../../serve/server.js";
import { tunnelCommand } from "../../serve/tunnel.js";
import type { Terminal } from "../terminal/terminal.js";
import { loopback } from "./address.js";

/** Serve until a signal comes. */
export async function serveInTerminal(options: ServeOptions, terminal: Terminal): Promise<void> {
  const ended = new Promise<number>((resolve) => {
    process.once("SIGINT", () => resolve(exitCodes.ok)); // Ctrl-C is how a server is meant to end
    process.once("SIGTERM", () => resolve(exitCodes.ok));
  });
  await using serving = await serve(options);
  const document: ServeDocument = { schema: "bh-bridge/serve@1", url: serving.url };
  terminal.document(document);
  terminal.print(serving.url);
  tellOfServer(serving, options, terminal);
  terminal.say("Ctrl-C ends it");
  process.exitCode = await ended;
}

/** How the page is reached, where its address alone does not do. */
function tellOfServer({ port }: Serving, { port: wanted, host }: ServeOptions, terminal: Terminal): void {
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
