import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { BhBridgeError } from "../errors.js";
import { type Exported, type ExportTarget, exportTargets } from "../runner/exported.js";
import { shellQuote } from "../text/escaping.js";
import { count, formatBytes } from "../text/format.js";
import type { ExportDocument } from "./documents.js";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import { progressOnDemand } from "./terminal/progress.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { findTarget, parseStep } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

type ExportCommandOptions = CommonOptions & {
  to: ExportTarget;
  out: string;
  step?: number;
  metrics?: boolean;
  optimizer?: boolean;
  corpus?: string;
  python?: string;
  author?: string;
  license?: string;
};

export function exportCommand(): Command {
  return createCommand(
    "export",
    "Export a model, a history, a matrix or metrics for Python, spreadsheets and trackers, or a run with its provenance",
    "bh-bridge export runs/my-run --to npy --out history.npy",
    "bh-bridge export runs/my-run --to hf --out my-model",
    "bh-bridge export runs/my-run --to hf --step 2 --out my-model-at-2",
    "bh-bridge export runs/my-run --to csv --metrics --out metrics.csv",
    "bh-bridge export runs/my-run --to ro-crate --license CC-BY-4.0 --out my-crate",
  )
    .argument("<run>", "run, or FILE[::TENSOR]; with --to ro-crate also a sweep or experiment")
    .addOption(
      new Option(
        "--to <format>",
        "format: hf for a model; csv for one state; safetensors, hdf5, npy for the history; parquet and trackers for the metrics by step; ro-crate for all files with their provenance",
      )
        .choices(exportTargets)
        .makeOptionMandatory(),
    )
    .requiredOption("-o, --out <path>", "new file or directory", nonEmpty)
    .option("--step <n>", "training step of the only state to export, or of the model (default of hf: the final one)", parseStep)
    .option("--metrics", "losses, learning rates, evaluations and series of the analysis instead of a state (with --to csv)")
    .option("--optimizer", "also write the state of optimizer, schedule and random streams, for HF's Trainer to resume (with --to hf --step)")
    .option("--author <text>", "author of the crate: 'NAME <URL>, ORGANISATION <URL>' (with --to ro-crate)")
    .option("--license <id>", "licence of the crate: an SPDX identifier or an address (with --to ro-crate; default: none granted)")
    .option("--corpus <file>", "current path of the training text, for a step that is trained again")
    .option("--python <path>", "Python interpreter, for a step that is trained again or with the library of a tracker")
    .action(exportTo);
}

function nonEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Expected a path.");
  return text;
}

async function exportTo(run: string, options: ExportCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const document = await exportDocument(run, options, terminal);
  terminal.document(document);
  terminal.print(`${terminal.color.bold(document.out)}: ${whatWasExported(document)}, ${formatBytes(document.bytes)}`);
  if (document.upload) terminal.print(`\nNothing was uploaded. To publish it:  ${terminal.color.cyan(document.upload)}`);
  const view = viewCommand(document);
  if (view !== undefined) terminal.print(`See it with:  ${terminal.color.cyan(view)}`);
}

/** The command that shows what a tracker got; undefined for other exports. */
function viewCommand({ to, out }: ExportDocument): string | undefined {
  const commands: Readonly<Partial<Record<ExportTarget, string>>> = {
    tensorboard: `tensorboard --logdir ${shellQuote(out)}`,
    mlflow: `mlflow server --backend-store-uri ${shellQuote(`sqlite:///${resolve(out, "mlflow.db")}`)}`,
    trackio: `TRACKIO_DIR=${shellQuote(resolve(out))} trackio show --project bh-bridge`,
  };
  return commands[to];
}

function whatWasExported({ to, tensor, shape, step, verified = 0, metrics, steps = 0 }: ExportDocument): string {
  if (metrics !== undefined) return `${count(metrics.length, "metric")} at ${count(steps, "step")}`;
  if (tensor !== undefined) return `${tensor} [${shape?.join(", ")}]`;
  if (to === "ro-crate") return "an RO-Crate";
  if (step === undefined) return "the final model";
  return `the model after step ${step} (${verified === 0 ? "its embedding was not recorded" : `${count(verified, "recorded state")} verified in every bit`})`;
}

async function exportDocument(run: string, options: ExportCommandOptions, terminal: Terminal): Promise<ExportDocument> {
  const { to, out, step, metrics, optimizer = false, python } = options;
  if (optimizer && (to !== "hf" || step === undefined)) throw new BhBridgeError("USAGE", "--optimizer requires --to hf and --step");
  if (to === "ro-crate") return { schema: "bh-bridge/export@1", ...(await exportAsCrate(run, options, terminal)) };
  if (options.author !== undefined || options.license !== undefined) throw new BhBridgeError("USAGE", "--author and --license require --to ro-crate");
  const { exportRun } = await import("../runner/export-run.js");
  const { repositoryOf } = await import("../runner/export-model.js");
  const { findPath } = await import("../runs/checkpoint.js");
  const { path, ...target } = to === "hf" ? { path: await findPath(run) } : await findTarget(run);
  const exported =
    to === "hf" && step !== undefined
      ? await exportModelOfStep(path, { ...options, step }, terminal)
      : await withProgress(terminal, ["Analysing", "states"], (progress) => exportRun(path, { ...target, to, out, step, metrics, python, ...progress }));
  const uploads: Readonly<Partial<Record<ExportTarget, string>>> = {
    hf: `hf upload ${shellQuote(repositoryOf(out))} ${shellQuote(out)}`,
    wandb: `wandb sync ${shellQuote(out)}/wandb/offline-run-*`,
  };
  return { schema: "bh-bridge/export@1", ...exported, ...(uploads[to] !== undefined && { upload: uploads[to] }) };
}

/** Run an export that Ctrl-C stops, with the progress of an analysis or a check that it may need. */
async function withProgress(
  terminal: Terminal,
  [title, unit]: readonly [string, string],
  exporting: (options: { signal: AbortSignal; onProgress: (done: number, total: number) => void }) => Promise<Exported>,
): Promise<Exported> {
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the export" });
  using progress = progressOnDemand(terminal, title, unit);
  return await exporting({ signal: stop.signal, onProgress: progress.onProgress });
}

async function exportAsCrate(run: string, { out, step, metrics, author, license }: ExportCommandOptions, terminal: Terminal): Promise<Exported> {
  if (step !== undefined || metrics === true) throw new BhBridgeError("USAGE", "--step and --metrics do not apply to --to ro-crate, which exports a whole run");
  const { requireFree } = await import("../runner/export-run.js");
  const { exportCrate } = await import("../sweep/ro-crate.js");
  const { findPath } = await import("../runs/checkpoint.js");
  requireFree(out);
  const path = await findPath(run);
  return await withProgress(terminal, ["Verifying", "runs"], (progress) => exportCrate(path, out, { author, license, ...progress }));
}

async function exportModelOfStep(path: string, options: ExportCommandOptions & { step: number }, terminal: Terminal): Promise<Exported> {
  const { out, optimizer = false, python } = options;
  const { requireFree } = await import("../runner/export-run.js");
  const { exportModelAt } = await import("../runner/export-model.js");
  const { openRun } = await import("../runner/open-run.js");
  const { pythonOf } = await import("../runner/train-again.js");
  const { ensurePython } = await import("./setup/ensure-python.js");
  const { modelAtInTerminal } = await import("./reproduce/train-again-in-terminal.js");
  requireFree(out);
  const run = await openRun(path);
  using model = await modelAtInTerminal(run, options, terminal);
  return await exportModelAt(model, out, { optimizer, python: () => ensurePython(pythonOf(run, python), terminal) });
}
