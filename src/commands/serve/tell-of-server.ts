import { userInfo } from "node:os";
import type { ServeOptions, Serving } from "../../serve/server.js";
import { tunnelCommand } from "../../serve/tunnel.js";
import type { Terminal } from "../terminal/terminal.js";
import { loopback } from "./address.js";

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
