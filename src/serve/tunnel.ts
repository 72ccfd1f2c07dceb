import { shellQuote } from "../text/shell-quote.js";

/** The command that brings a port of this machine to the one that somebody sits at; undefined where nobody came by SSH. */
export function tunnelCommand(port: number, user: string, connection: string | undefined): string | undefined {
  const server = connection?.split(" ")[2];
  return server === undefined ? undefined : `ssh -N -L ${port}:127.0.0.1:${port} ${shellQuote(`${user}@${server}`)}`;
}
