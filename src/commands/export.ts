import { type Command, InvalidArgumentError, Option } from "commander";
import { BhBridgeError } from "../errors.js";
import { type ExportTarget, exportTargets } from "../runner/exported.js";
import { shellQuote } from "../text/escaping.js";
import { formatBytes } from "../text/format.js";
import type { ExportDocument } from "./documents.js";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import { findTarget, parseStep } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

type ExportCommandOptions = CommonOptions & { to: ExportTarget; out: string; step?: number };

export function exportCommand(): Command {
  return createCommand(
    "export",
    "Export a model, a history or a matrix for Python and spreadsheets",
    "bh-bridge export runs/my-run --to npy --out history.npy",
    "bh-bridge export runs/my-run --to hf --out my-model",
  )
    .argument("<run>", "run, or FILE[::TENSOR]")
    .addOption(
      new Option("--to <format>", "format: hf for the final model, csv for one state, the others for the history").choices(exportTargets).makeOptionMandatory(),
    )
    .requiredOption("-o, --out <path>", "new file or directory", nonEmpty)
    .option("--step <n>", "training step of the only state to export", parseStep)
    .action(exportTo);
}

function nonEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Expected a path.");
  return text;
}

async function exportTo(run: string, options: ExportCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const document = await exportDocument(run, options);
  terminal.document(document);
  const what = document.tensor === undefined ? "the final model" : `${document.tensor} [${document.shape?.join(", ")}]`;
  terminal.print(`${terminal.color.bold(document.out)}: ${what}, ${formatBytes(document.bytes)}`);
  if (document.upload) terminal.print(`\nNothing was uploaded. To publish it:  ${terminal.color.cyan(document.upload)}`);
}

async function exportDocument(run: string, { to, out, step }: ExportCommandOptions): Promise<ExportDocument> {
  if (to === "hf" && step !== undefined) throw new BhBridgeError("USAGE", "--step cannot be used with --to hf: only the final model is complete");
  const [{ exportRun }, { repositoryOf }, { findPath }] = await Promise.all([
    import("../runner/export-run.js"),
    import("../runner/export-model.js"),
    import("../runs/checkpoint.js"),
  ]);
  const { path, ...target } = to === "hf" ? { path: await findPath(run) } : await findTarget(run);
  const exported = await exportRun(path, { ...target, to, out, step });
  const upload = to === "hf" ? { upload: `hf upload ${shellQuote(repositoryOf(out))} ${shellQuote(out)}` } : {};
  return { schema: "bh-bridge/export@1", ...exported, ...upload };
}
