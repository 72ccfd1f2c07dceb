import type { Command } from "commander";
import { z } from "zod";
import { censusShape } from "../analysis/document-fields.js";
import { printable } from "../text/escaping.js";
import { count, groupDigits, type TextColors } from "../text/format.js";
import { wrap } from "../text/wrap.js";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import type { RowsOptions } from "./terminal/rows-option.js";
import { holesTable, maxHolesShown } from "./terminal/table.js";
import { findTarget, parseStep } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

/** The document of `census --json`. */
export const censusDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/census@1"),
  /** The file or directory as given. */
  source: z.string(),
  tensor: z.string(),
  dtype: z.string(),
  /** Tokens and dims of the matrix, which is one state of a history. */
  shape: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  ...censusShape,
});
export type CensusDocument = z.output<typeof censusDocumentSchema>;

type CensusOptions = CommonOptions & RowsOptions & { step?: number };

export function censusCommand(): Command {
  return createCommand(
    "census",
    "Count the black holes of a matrix: groups of rows with equal values",
    "bh-bridge census out/checkpoint-20::transformer.wte.weight",
  )
    .argument("<file[::tensor]>", "file, checkpoint or run (default tensor: the one that looks like an embedding)")
    .option("--rows <rows>", "rows to count: all, dead, a list as 1,5,9-20, or @FILE with such a list", "all")
    .option("--corpus <file>", "training text that defines the dead tokens of a file that is not a run")
    .option("--step <n>", "training step of a history (default: the last recorded one)", parseStep)
    .action(takeCensus);
}

async function takeCensus(target: string, options: CensusOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { path, tensor } = await findTarget(target);
  const { openEmbedding } = await import("../runs/open-embedding.js");
  const { censusOfRows } = await import("../analysis/census/census-of-rows.js");
  const { chooseRows } = await import("./terminal/rows-option.js");
  const embedding = await openEmbedding(path, { tensor, step: options.step });
  try {
    const { rows, shape, step } = embedding;
    const counted = await censusOfRows(rows, await chooseRows(options, path, rows.rowTokens.vocabulary));
    const document: CensusDocument = {
      schema: "bh-bridge/census@1",
      source: path,
      tensor: embedding.tensor,
      dtype: rows.dtype,
      shape: [...shape],
      ...counted,
    };
    terminal.document(document);
    if (terminal.json) return;
    terminal.print(formatCensus(document, step, terminal.color, terminal.width));
    if (step !== undefined) terminal.say(`\nAnalyse all steps:  bh-bridge analyze ${path}`);
  } finally {
    embedding.close();
  }
}

/** Format a census: the totals, and a line for each of the largest black holes. */
export function formatCensus(document: CensusDocument, step: number | undefined, color: TextColors, width?: number): string {
  const { source, tensor, dtype, shape, rows, unique, C, P, populations } = document;
  const at = step === undefined ? "" : `, step ${step}`;
  return [
    wrap(`${color.bold(printable(tensor))} of ${printable(source)}${at}: ${dtype} ${shape.map(groupDigits).join(" × ")}`, width),
    "",
    `  Rows         ${groupDigits(rows)}${rows === shape[0] ? "" : ` of ${groupDigits(shape[0])}`}`,
    `  Unique rows  ${groupDigits(unique)}`,
    `  Black holes  C = ${groupDigits(C)}`,
    `  Population   P = ${groupDigits(P)}${rows > 0 ? ` (${((100 * P) / rows).toPrecision(3)} % of the rows)` : ""}`,
    ...(C === 0 ? [] : ["", holesTable(document, width)]),
    ...(populations.length > maxHolesShown ? [color.dim(`… and ${count(populations.length - maxHolesShown, "smaller one")}; --json lists all of them`)] : []),
  ].join("\n");
}
