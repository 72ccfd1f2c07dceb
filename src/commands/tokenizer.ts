import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { z } from "zod";
import { defaultField, type TokenizerKind, tokenizerKinds } from "../config/data-schema.js";
import { BhBridgeError } from "../errors.js";
import { type CommonOptions, createCommand, repeated } from "./terminal/command.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { parseWhole } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

/** The document of `tokenizer train --json`. */
export const tokenizerDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/tokenizer@1"),
  kind: z.enum(["char-bpe", "byte-bpe"]),
  path: z.string(),
  vocabulary: z.int().describe("Number of tokens; smaller than requested if the corpus has no further pairs to merge"),
});
export type TokenizerDocument = z.output<typeof tokenizerDocumentSchema>;

type TrainOptions = CommonOptions & { kind: TokenizerKind; vocab: number; corpus?: string[]; out: string; python?: string };

export function tokenizerCommand(): Command {
  const train = createCommand(
    "train",
    "Train a tokenizer on a corpus, for data.tokenizer",
    "bh-bridge tokenizer train --kind char-bpe --vocab 1000 --out tokenizer.json",
  )
    .addOption(new Option("--kind <kind>", "units that it merges: characters or UTF-8 bytes").choices(tokenizerKinds).makeOptionMandatory())
    .requiredOption("--vocab <n>", "vocabulary size", parseWhole(2))
    .option("--corpus <file>", "text to train on, as for `train`; may be repeated (default: the built-in corpus)", repeated)
    .requiredOption("-o, --out <file>", "new file")
    .option("--python <path>", "Python interpreter")
    .action(trainInTerminal);
  return new Command("tokenizer").description("Train a tokenizer for data.tokenizer").addCommand(train);
}

async function trainInTerminal({ kind, vocab, corpus, out, python, ...common }: TrainOptions): Promise<void> {
  const terminal = new Terminal(common);
  const path = resolve(out);
  if (existsSync(path)) throw new BhBridgeError("FILE_UNWRITABLE", `${path} already exists: name another file with --out`);
  if (!existsSync(dirname(path))) throw new BhBridgeError("FILE_UNWRITABLE", `there is no folder ${dirname(path)}: create it, or name another file with --out`);
  const { trainTokenizer } = await import("../python/run-python-script.js");
  const { resolvePython } = await import("../python/require-packages.js");
  const { builtInPath } = await import("../config/paths-in-config.js");
  const { preparedText } = await import("../bridge/prepared-text.js");
  const { isTokenArray } = await import("../formats/text/text-files.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the training of the tokenizer" });
  const texts: string[] = [];
  for (const each of corpus ?? [builtInPath()]) texts.push(await preparedText(resolve(each), defaultField, stop.signal));
  const ids = texts.find(isTokenArray);
  if (ids !== undefined) throw new BhBridgeError("CORPUS_INVALID", `${ids} has token ids, not text: name the text that they were made from`);
  const { path: interpreter } = await resolvePython(python === undefined ? {} : { python }, stop.signal);
  const { vocabulary } = await trainTokenizer(interpreter, { kind, vocab, corpora: texts, out: path }, stop.signal);
  terminal.document({ schema: "bh-bridge/tokenizer@1", kind, path, vocabulary } satisfies TokenizerDocument);
  terminal.print(`${path}: ${vocabulary} tokens. Use it with --set data.tokenizer=${out} --set model.vocab_size=${vocabulary}`);
}
