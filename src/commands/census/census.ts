import type { Command } from "commander";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { parseStep } from "../terminal/parse-step.js";
import { findTarget } from "../terminal/target.js";
import { Terminal } from "../terminal/terminal.js";
import type { CensusDocument } from "./census-document.js";
import type { RowsOptions } from "./rows-option.js";

interface CensusOptions extends CommonOptions, RowsOptions {
  step?: number;
}

/** `bh-bridge census FILE[::TENSOR]`: which rows of a matrix are equal, in any file that Python left. */
export function censusCommand(): Command {
  return createCommand(
    "census",
    "Count the black holes of a matrix: groups of rows with equal values",
    "bh-bridge census out/checkpoint-20::transformer.wte.weight",
  )
    .argument("<file[::tensor]>", "file, checkpoint or run; the tensor is found when it looks like an embedding")
    .option("--rows <rows>", "rows to look at: all, dead, a list as 1,5,9-20, or @FILE with such a list", "all")
    .option("--corpus <file>", "text that tells which tokens are dead, for a file that is not a run")
    .option("--step <n>", "training step of a history; its last recorded one by default", parseStep)
    .action(takeCensus);
}

async function takeCensus(target: string, options: CensusOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { path, tensor } = await findTarget(target);
  const [{ openEmbedding }, { censusOfRows }, { chooseRows }] = await Promise.all([
    import("../../runs/open-embedding.js"),
    import("../../analysis/census/census-of-rows.js"),
    import("./rows-option.js"),
  ]);
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
    const { formatCensus } = await import("./format-census.js");
    terminal.print(formatCensus(document, step, terminal.color, terminal.width));
    if (step !== undefined) terminal.say(`\nOver all its steps:  bh-bridge analyze ${path}`);
  } finally {
    embedding.close();
  }
}
