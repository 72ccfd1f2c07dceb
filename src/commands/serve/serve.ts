import { setFlagsFromString } from "node:v8";
import { type Command, InvalidArgumentError, Option } from "commander";
import { experimentsFolder, runsFolder, sweepsFolder } from "../../runs/run-layout.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import { loopback, usualPort } from "./open-in-browser.js";

/**
 * Let V8 clear away what is short-lived sooner, for the rest of this process. A server lives for days and holds some 20 MB, but by default V8 lets 33 MB of
 * garbage and the buffers that hang on it lie before it looks: a third of the server's memory. And its heap and its code grow
 * less for the sake of speed: another 7 MB.
 */
export function keepMemorySmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--optimize-for-size");
}

const usualFolders: readonly string[] = [runsFolder, experimentsFolder, sweepsFolder];

interface ServeCommandOptions extends CommonOptions {
  out?: string[];
  port: number;
  host: string;
  open?: boolean;
}

/** `bh-bridge serve`: the live page, until Ctrl-C. */
export function serveCommand(): Command {
  return createCommand(
    "serve",
    "Show runs, experiments and sweeps on a local page, with live charts and a replay",
    "bh-bridge serve",
    "bh-bridge serve --out runs --port 9000",
  )
    .argument("[path...]", "a run, an experiment, a sweep, a folder of them, or a zip of them: these are shown instead of what lies in this folder")
    .option("-o, --out <dirs...>", `folders that hold runs, experiments or sweeps (default: ${usualFolders.join(", ")})`)
    .addOption(new Option("--port <number>", "port to listen at, or the next one that is free; 0 takes any").argParser(parsePort).default(usualPort))
    .option("--host <address>", "address to listen at; with another than this one, whoever reaches it and has the token sees the runs", loopback)
    .option("--open", "open the page in a browser of this machine")
    .action(async (paths: string[], { out, port, host, open = false, ...common }: ServeCommandOptions) => {
      keepMemorySmall(); // before anything of the server is loaded
      const { serveInTerminal } = await import("./serve-in-terminal.js");
      const folders = out ?? (paths.length === 0 ? usualFolders : []);
      await serveInTerminal({ paths, folders, port, host, open }, new Terminal(common));
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}
