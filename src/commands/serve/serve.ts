import { setFlagsFromString } from "node:v8";
import { type Command, InvalidArgumentError, Option } from "commander";
import { experimentsFolder, runsFolder, sweepsFolder } from "../../runs/run-layout.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import { defaultPort, loopback } from "./open-in-browser.js";

/**
 * Limit the memory of this process, whose server runs for days: by default V8 keeps 33 MB of garbage and its buffers before it collects, a third of the
 * server's memory. Smaller heap and code save another 7 MB.
 */
export function keepMemorySmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--optimize-for-size");
}

const defaultFolders: readonly string[] = [runsFolder, experimentsFolder, sweepsFolder];

type ServeCommandOptions = CommonOptions & { out?: string[]; port: number; host: string; open?: boolean };

export function serveCommand(): Command {
  return createCommand(
    "serve",
    "Show runs, experiments and sweeps on a local page, with live charts and a replay",
    "bh-bridge serve",
    "bh-bridge serve --out runs --port 9000",
  )
    .argument("[path...]", "runs, experiments, sweeps, folders or zips of them (default: those in --out)")
    .option("-o, --out <dirs...>", `folders that hold runs, experiments or sweeps (default: ${defaultFolders.join(", ")})`)
    .addOption(new Option("--port <number>", "port, or the next free one; 0 selects any").argParser(parsePort).default(defaultPort))
    .option("--host <address>", "address to listen on; at other addresses anyone with the token can see the runs", loopback)
    .option("--open", "also open the page in a browser of this machine")
    .action(async (paths: string[], { out, port, host, open = false, ...common }: ServeCommandOptions) => {
      keepMemorySmall(); // before anything of the server is loaded
      const { serveInTerminal } = await import("./serve-in-terminal.js");
      const folders = out ?? (paths.length === 0 ? defaultFolders : []);
      await serveInTerminal({ paths, folders, port, host, open }, new Terminal(common));
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}

/** `bh-bridge mcp`: the same runs for agents, over the Model Context Protocol. */
export function mcpCommand(): Command {
  return createCommand(
    "mcp",
    "Serve runs, experiments and figures to agents over the Model Context Protocol, on stdin and stdout",
    "bh-bridge mcp",
    "bh-bridge mcp runs experiments --allow-train",
  )
    .argument("[folder...]", `folders of runs, experiments and sweeps; nothing outside is read (default: ${defaultFolders.join(", ")})`)
    .option("--allow-train", "also offer tools that train")
    .action(async (folders: string[], { allowTrain = false }: { allowTrain?: boolean }) => {
      const { serveMcp } = await import("./mcp-server.js");
      await serveMcp({ folders: folders.length > 0 ? folders : defaultFolders, allowTrain });
    });
}
