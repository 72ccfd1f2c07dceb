import type { Command } from "commander";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { findPath } from "../terminal/find-target.js";
import { Terminal } from "../terminal/terminal.js";

/** `bh-bridge inspect PATH`: what a file or a directory is, and what can be done with it. */
export function inspectCommand(): Command {
  return createCommand("inspect", "Say what a file or directory of Python's is, and what can be done with it", "bh-bridge inspect out/checkpoint-20")
    .argument("<path>", "safetensors, .pt, .bin, HDF5, .npy, .npz, a checkpoint directory, or a run")
    .action(async (path: string, options: CommonOptions) => {
      const terminal = new Terminal(options);
      const [{ inspect }, { formatInspection }] = await Promise.all([import("./inspect-path.js"), import("./format-inspection.js")]);
      const document = await inspect(await findPath(path));
      terminal.document(document);
      terminal.print(formatInspection(document, terminal.color, terminal.width));
    });
}
