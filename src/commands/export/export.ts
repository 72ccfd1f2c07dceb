import { type Command, InvalidArgumentError, Option } from "commander";
import { BhBridgeError } from "../../errors.js";
import { formatBytes } from "../../text/format-bytes.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { findPath } from "../terminal/find-target.js";
import { parseStep } from "../terminal/parse-step.js";
import { Terminal } from "../terminal/terminal.js";
import { type ExportDocument, type ExportTarget, exportTargets } from "./export-document.js";

interface ExportOptions extends CommonOptions {
  to: ExportTarget;
  out: string;
  step?: number;
}

/** `bh-bridge export RUN`: give results back to Python and spreadsheets. */
export function exportCommand(): Command {
  return createCommand(
    "export",
    "Give a model, a history or a matrix to Python and spreadsheets",
    "bh-bridge export runs/my-run --to npy --out history.npy",
    "bh-bridge export runs/my-run --to hf --out my-model",
  )
    .argument("<run>", "a run, or FILE[::TENSOR] of any other kind")
    .addOption(
      new Option("--to <format>", "what to write: hf takes the final model, csv one state, the others the whole history")
        .choices(exportTargets)
        .makeOptionMandatory(),
    )
    .requiredOption("--out <path>", "file or directory to make; nothing is overwritten", nonEmpty)
    .option("--step <n>", "of a history, the state after this training step alone", parseStep)
    .action(exportTo);
}

function nonEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It is empty.");
  return text;
}

async function exportTo(run: string, options: ExportOptions): Promise<void> {
  const terminal = new Terminal(options);
  const document = options.to === "hf" ? await exportModel(run, options) : await exportTensor(run, options.to, options);
  terminal.document(document);
  const what = document.tensor === undefined ? "the final model" : `${document.tensor} [${document.shape?.join(", ")}]`;
  terminal.print(`${terminal.color.bold(document.out)}: ${what}, ${formatBytes(document.bytes)}`);
  if (document.upload) terminal.print(`\nNothing has been sent. To publish it:  ${terminal.color.cyan(document.upload)}`);
}

async function exportModel(run: string, { out, step }: ExportOptions): Promise<ExportDocument> {
  const { exportHfModel } = await import("./export-hf-model.js");
  if (step !== undefined) throw new BhBridgeError("USAGE", "--step does not go with --to hf: only the final model is complete");
  return exportHfModel(await findPath(run), out);
}

async function exportTensor(target: string, to: Exclude<ExportTarget, "hf">, { out, step }: ExportOptions): Promise<ExportDocument> {
  const { exportArray } = await import("./export-array.js");
  return exportArray(target, to, out, step);
}
