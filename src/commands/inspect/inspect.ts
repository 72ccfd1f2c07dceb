import type { Command } from "commander";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import type { InspectDocument } from "./inspect-document.js";

/** `bh-bridge inspect PATH`: what a file or a directory is, and what can be done with it. */
export function inspectCommand(): Command {
  return createCommand("inspect", "Identify a file or checkpoint and list what you can do with it", "bh-bridge inspect out/checkpoint-20")
    .argument("<path>", "safetensors, .pt, .bin, HDF5, .npy, .npz, a checkpoint directory, or a run")
    .action(async (path: string, options: CommonOptions) => {
      const terminal = new Terminal(options);
      const [{ findPath }, { inspect }, { nextSteps }, { formatInspection }] = await Promise.all([
        import("../../runs/find-path.js"),
        import("../../runner/inspect.js"),
        import("./next-steps.js"),
        import("./format-inspection.js"),
      ]);
      const inspection = await inspect(await findPath(path));
      const document: InspectDocument = { schema: "bh-bridge/inspect@1", ...inspection, next: await nextSteps(inspection) };
      terminal.document(document);
      terminal.print(formatInspection(document, terminal.color, terminal.width));
    });
}
