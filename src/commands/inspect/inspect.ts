import type { Command } from "commander";
import type { CheckpointKind } from "../../runs/checkpoint.js";
import { printable } from "../../text/escaping.js";
import { count, formatBytes, groupDigits, type TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { runnable } from "../terminal/invocation.js";
import { columnWidths, defaultWidth, table, tableWidth } from "../terminal/table.js";
import { Terminal } from "../terminal/terminal.js";
import type { InspectDocument } from "./next-steps.js";

export function inspectCommand(): Command {
  return createCommand("inspect", "Identify a file or checkpoint and list what you can do with it", "bh-bridge inspect out/checkpoint-20")
    .argument("<path>", "safetensors, .pt, .bin, HDF5, .npy or .npz file, checkpoint directory, or run")
    .action(async (path: string, options: CommonOptions) => {
      const terminal = new Terminal(options);
      const { findPath } = await import("../../runs/checkpoint.js");
      const { inspect } = await import("../../runner/inspect.js");
      const { nextSteps } = await import("./next-steps.js");
      const inspection = await inspect(await findPath(path));
      const document: InspectDocument = { schema: "bh-bridge/inspect@1", ...inspection, next: await nextSteps(inspection) };
      terminal.document(document);
      terminal.print(formatInspection(document, terminal.color, terminal.width));
    });
}

const kindNames: Readonly<Record<CheckpointKind, string>> = {
  safetensors: "a safetensors file",
  "safetensors-sharded": "safetensors in shards",
  "torch-zip": "a torch archive (torch.save)",
  "hf-checkpoint": "a Hugging Face checkpoint",
  "hf-optimizer": "a Hugging Face checkpoint with only its optimizer",
  run: "a run of bh-bridge",
  history: "a history of embeddings",
  hdf5: "an HDF5 file",
  npy: "a numpy array",
  npz: "an archive of numpy arrays",
};

/** Maximum number of rows of the table; `--json` lists all tensors. */
const maxTensorsShown = 40;
const maxMetadataShown = 12;
const maxGlobalsShown = 10;
const narrowestName = 24;
const indent = 2;

/** Format an inspection: kind, next steps, tensors and metadata. */
export function formatInspection(document: InspectDocument, color: TextColors, width = defaultWidth): string {
  const { path, kind, tensors, history, notExecuted } = document;
  const total = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return [
    wrap(`${color.bold(printable(path))} is ${kindNames[kind]}: ${count(tensors.length, "tensor")}, ${formatBytes(total)}`, width),
    ...(history ? [historyLine(history)] : []),
    ...trainingLines(document),
    ...unreadableLines(document, color),
    ...nextLines(document, color),
    "",
    tensorTable(tensors, width),
    ...(tensors.length > maxTensorsShown ? [color.dim(`… and ${groupDigits(tensors.length - maxTensorsShown)} more; --json lists all of them`)] : []),
    ...scriptLines(document, width),
    ...metadataLines(document, width, color),
    ...(notExecuted.length > 0 ? ["", executionLine(notExecuted, color)] : []),
  ].join("\n");
}

/** Next steps with their commands, each on a line of its own for copying. */
function nextLines({ next }: InspectDocument, color: TextColors): string[] {
  return next.length === 0 ? [] : ["", ...next.flatMap(({ does, command }) => [`  ${does}`, `    ${color.cyan(runnable(command))}`])];
}

/** Unreadable tensors with their remedies, each on one line for copying. */
function unreadableLines({ tensors }: InspectDocument, color: TextColors): string[] {
  const refused = tensors.filter(({ unreadable }) => unreadable !== undefined);
  return refused.map(({ name, unreadable }) => color.yellow(`  ${printable(`${name} ${unreadable}`, Number.POSITIVE_INFINITY)}`));
}

function historyLine({ tensor, states, planned, tokens, dims, tokenIds }: NonNullable<InspectDocument["history"]>): string {
  const open = planned > states ? ` of ${groupDigits(planned)} planned` : "";
  return `  ${tensor}: ${count(states, "state")}${open}, ${count(tokens, tokenIds ? "chosen token" : "token")} × ${count(dims, "dim")}`;
}

function trainingLines({ trainerState }: InspectDocument): string[] {
  if (!trainerState) return [];
  const { global_step, max_steps, epoch, log_history } = trainerState;
  const loss = log_history.findLast((entry) => "loss" in entry)?.["loss"];
  const parts = [`step ${groupDigits(global_step)} of ${groupDigits(max_steps)}`];
  if (typeof epoch === "number") parts.push(`epoch ${epoch.toPrecision(3)}`);
  if (typeof loss === "number") parts.push(`last logged loss ${loss}`);
  return [`  Trainer: ${parts.join(", ")}`];
}

/** The tensors of each file below its name, which is omitted for a single file. */
function tensorTable(tensors: InspectDocument["tensors"], width: number): string {
  const shown = tensors.slice(0, maxTensorsShown);
  const rows = shown.map(({ name, dtype, shape, bytes }) => [
    printable(name, Number.POSITIVE_INFINITY),
    dtype,
    shape.join(" × ") || "scalar",
    formatBytes(bytes),
  ]);
  const head = ["name", "dtype", "shape", "size"];
  const room = Math.max(narrowestName, width - indent - tableWidth([0, ...columnWidths(head, rows).slice(1)]));
  const fitting = rows.map(([name = "", ...cells]) => [shorten(name, room), ...cells]);
  const [titles = "", ...lines] = table(head, fitting, { align: ["left", "left"], width, indent }).split("\n");
  const hasFiles = new Set(tensors.map(({ file }) => file)).size > 1;
  return [
    titles,
    ...lines.flatMap((line, at) => (hasFiles && shown[at]?.file !== shown[at - 1]?.file ? [printable(shown[at]?.file ?? ""), line] : [line])),
  ].join("\n");
}

/** Cut the start of a tensor's name, as its end is more specific. */
function shorten(name: string, room: number): string {
  return name.length <= room ? name : `…${name.slice(name.length - room + 1)}`;
}

function scriptLines({ scripts }: InspectDocument, width: number): string[] {
  if (!scripts) return [];
  const rows = scripts.map(({ script, dead, tokens }) => [script, groupDigits(dead), groupDigits(tokens)]);
  return ["", table(["tokens by writing system", "dead", "of"], rows, { align: ["left"], width, indent })];
}

function metadataLines({ metadata }: InspectDocument, width: number, color: TextColors): string[] {
  const entries = Object.entries(metadata).flatMap(([key, value]) => flatten(key, value));
  if (entries.length === 0) return [];
  const shown = entries.slice(0, maxMetadataShown).map(([key, value]) => `  ${printable(`${key}: ${value}`, Math.max(narrowestName, width - 2))}`);
  const more = entries.length > shown.length ? [color.dim(`  … and ${count(entries.length - shown.length, "more value")}; --json lists all of them`)] : [];
  return ["", ...shown, ...more];
}

/** One level of nesting, as in `config.vocab_size`; deeper values are omitted. */
function flatten(key: string, value: unknown): [key: string, value: string][] {
  if (typeof value !== "object" || value === null) return [[key, String(value)]];
  return Object.entries(value).flatMap(([inner, plain]) => (typeof plain === "object" ? [] : [[`${key}.${inner}`, String(plain)] as [string, string]]));
}

function executionLine(names: readonly string[], color: TextColors): string {
  const shown = names.slice(0, maxGlobalsShown).map((name) => printable(name));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  return color.yellow(`Loading it with torch would call ${shown.join(", ")}${more}. This command called nothing.`);
}
