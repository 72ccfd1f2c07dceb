import type { Command } from "commander";
import { csvField, printable } from "../text/escaping.js";
import { count, figure, groupDigits, type TextColors } from "../text/format.js";
import { tokenName } from "../text/names.js";
import { wrap } from "../text/wrap.js";
import type { TokensDocument } from "./documents.js";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { holesTable, table } from "./terminal/table.js";
import { findTarget, parseStep, parseWhole } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

type TokensOptions = CommonOptions & { unused?: string; step?: number; tokenizer?: string; top: number; csv?: boolean };

const defaultTop = 20;

export function tokensCommand(): Command {
  return createCommand(
    "tokens",
    "Find the tokens of a model that never trained",
    "bh-bridge tokens out/checkpoint-20",
    "bh-bridge tokens out/checkpoint-20 --unused 5,10-20 --json",
  )
    .argument("<file[::tensor]>", "checkpoint, file or run (default tensors: those that look like the input and output embeddings)")
    .option("--unused <ids>", "tokens that are known to be unused, as 5,10-20 or @FILE with such a list (default: found by the tokenizer)")
    .option("--tokenizer <dir>", "directory of the tokenizer (default: that of the checkpoint)")
    .option("--step <n>", "training step of a history (default: the last recorded one)", parseStep)
    .option("--top <n>", "strongest candidates in the table", parseWhole(0), defaultTop)
    .option("--csv", "print all candidates as CSV")
    .action(findUntrained);
}

async function findUntrained(target: string, { unused: list, step, tokenizer, top, csv, ...common }: TokensOptions): Promise<void> {
  const terminal = new Terminal(common);
  const { path, tensor } = await findTarget(target);
  const { untrainedTokens } = await import("../runner/untrained-tokens.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the search" });
  const unused = list === undefined ? undefined : await listedTokens(list, path, tensor);
  const document: TokensDocument = { schema: "bh-bridge/tokens@1", ...(await untrainedTokens(path, { tensor, step, unused, tokenizer, signal: stop.signal })) };
  terminal.document(document);
  terminal.print(csv ? csvOfCandidates(document) : formatTokens(document, top, terminal.color, terminal.width));
}

async function listedTokens(list: string, path: string, tensor: string | undefined): Promise<number[]> {
  const [{ openEmbedding }, { listedRows }] = await Promise.all([import("../runs/open-embedding.js"), import("./terminal/rows-option.js")]);
  const { rows, close } = await openEmbedding(path, { tensor });
  close();
  return listedRows(list, "--unused", rows.rowTokens.vocabulary);
}

const indicatorHeads = { norm: "norm", cosine: "cosine", cosineCentred: "centred", cosineWithoutPc1: "no PC1", l2: "l2" } as const;
const names = Object.keys(indicatorHeads) as (keyof typeof indicatorHeads)[];

function csvOfCandidates({ candidates }: TokensDocument): string {
  const rows = candidates.map(({ id, text, reason, indicators }) => [id, text, reason, ...names.map((name) => indicators[name])]);
  return [["id", "text", "reason", ...names], ...rows].map((row) => row.map(csvField).join(",")).join("\n");
}

/** Format the tokens that never trained: how they were found, the strongest candidates, and the largest groups of equal rows. */
export function formatTokens(document: TokensDocument, top: number, color: TextColors, width?: number): string {
  const { source, tensors, rows, dims, step, unused, threshold, candidates, equal, near, notes } = document;
  const at = step === undefined ? "" : `, step ${groupDigits(step)}`;
  const output = tensors.output === tensors.input ? "" : `, output embedding ${printable(tensors.output)}`;
  const shown = candidates.slice(0, top);
  const lines = shown.map(({ id, text, reason, indicators }) => [
    String(id),
    text === null ? "" : tokenName(id, text),
    reason,
    ...names.map((name) => figure(indicators[name])),
  ]);
  return [
    wrap(`${color.bold(printable(tensors.input))} of ${printable(source)}${at}: ${groupDigits(rows)} × ${groupDigits(dims)}${output}`, width),
    "",
    wrap(`  Unused      ${count(unused.ids.length, "token")}: ${unused.how}`, width),
    wrap(
      `  Threshold   ${threshold ? `${threshold.indicator} ≤ ${figure(threshold.value)}: ${threshold.how}` : "none: no indicator separates the unused rows"}`,
      width,
    ),
    wrap(`  Candidates  ${groupDigits(candidates.length)}`, width),
    ...(shown.length === 0
      ? []
      : ["", table(["id", "text", "reason", ...Object.values(indicatorHeads)], lines, { align: ["right", "left", "left"], width, indent: 2 })]),
    ...(candidates.length > shown.length
      ? [color.dim(`  … and ${groupDigits(candidates.length - shown.length)} more; --json or --csv lists all of them`)]
      : []),
    ...onsetLines(document, width),
    "",
    `  Equal rows  C = ${groupDigits(equal.C)} black holes, P = ${groupDigits(equal.P)} tokens in them`,
    ...(equal.C === 0 ? [] : ["", holesTable(equal, width)]),
    ...(near.length === 0
      ? []
      : ["", `  Nearly equal: ${count(near.length, "group")} of candidates, of which the largest has ${(near[0] ?? []).length}: ${wordList(near[0] ?? [])}`]),
    ...notes.map((note) => wrap(`  Note: ${note}`, width)),
  ].join("\n");
}

const maxListed = 10;

function wordList(ids: readonly number[]): string {
  return `${ids.slice(0, maxListed).join(", ")}${ids.length > maxListed ? ", …" : ""}`;
}

function onsetLines({ onset }: TokensDocument, width?: number): string[] {
  if (!onset) return [];
  const steps = onset.flatMap(({ step }) => step ?? []).sort((a, b) => a - b);
  const when =
    steps.length === 0
      ? ""
      : `, half of them by step ${groupDigits(steps[Math.floor((steps.length - 1) / 2)] ?? 0)}, the last at step ${groupDigits(steps.at(-1) ?? 0)}`;
  return [
    "",
    wrap(`  Onset       ${groupDigits(steps.length)} of ${count(onset.length, "other token")} began to train${when}; --json has the step of each`, width),
  ];
}
