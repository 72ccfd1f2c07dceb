import { type Command, InvalidArgumentError } from "commander";
import type { Generation, SamplingOptions } from "../runner/generate-text.js";
import { count, groupDigits, type TextColors } from "../text/format.js";
import { tokenName } from "../text/names.js";
import type { GenerateDocument } from "./documents.js";
import { type CommonOptions, createCommand, outOption, repeated } from "./terminal/command.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { parseStep, parseWhole } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

type GenerateCommandOptions = CommonOptions & SamplingOptions & { prompt: string[]; step?: number; out: string; corpus?: string; python?: string };

export function generateCommand(): Command {
  return createCommand(
    "generate",
    "Generate text with the model of a run after any step",
    'bh-bridge generate runs/my-run --prompt "The "',
    'bh-bridge generate runs/my-run --step 2 --prompt "The " --prompt "A " --temperature 0.8 --seed 1',
  )
    .argument("<run>", "path, name, or unique prefix of a name")
    .requiredOption("--prompt <text>", "text to continue; may be repeated", repeated)
    .option("--step <n>", "training step of the model (default: the last recorded one)", parseStep)
    .option("--max-tokens <n>", "maximum number of new tokens (default: 64, or as many as the model has positions for)", parseWhole(1))
    .option("--temperature <t>", "sampling temperature; 0 always takes the most likely token (default: 0)", parseTemperature)
    .option("--top-k <n>", "number of most likely tokens to sample from (default: all)", parseWhole(1))
    .option("--seed <n>", "seed of sampling; each further prompt adds 1 (default: 0)", parseWhole(0))
    .option("--corpus <file>", "current path of the training text, for a step that is trained again")
    .option("--python <path>", "Python interpreter")
    .addOption(outOption())
    .action(generateInTerminal);
}

function parseTemperature(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("A temperature is a number of at least 0.");
}

async function generateInTerminal(given: string, options: GenerateCommandOptions): Promise<void> {
  const { prompt: prompts, out, step, corpus, python, maxTokens, temperature, topK, seed } = options;
  const terminal = new Terminal(options);
  const { directoryOfRun } = await import("../runs/scan-runs.js");
  const { lastStep } = await import("../runner/model-at.js");
  const { openRun } = await import("../runner/open-run.js");
  const { pythonOf } = await import("../runner/train-again.js");
  const generating = await import("../runner/generate-text.js");
  const { ensurePython } = await import("./setup/ensure-python.js");
  const { modelAtInTerminal } = await import("./reproduce/train-again-in-terminal.js");
  const run = await openRun(await directoryOfRun(given, out));
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping" });
  const found = await ensurePython(pythonOf(run, python), terminal, stop.signal);
  const tokens = await generating.promptTokens(run, prompts, found, { maxTokens, signal: stop.signal });
  using model = await modelAtInTerminal(run, { step: step ?? lastStep(run), corpus, python }, terminal);
  const generated = await generating.generateWith({ run, model, prompts, tokens }, found, { maxTokens, temperature, topK, seed }, stop.signal);
  const document: GenerateDocument = { schema: "bh-bridge/generate@1", ...generated };
  terminal.document(document);
  terminal.print(formatGeneration(generated, run.manifest.name, terminal.color));
}

/** Format generated texts: each prompt in bold and its continuation. */
export function formatGeneration({ step, texts, verified }: Generation, name: string, color: TextColors): string {
  const proof = verified === 0 ? "" : `, ${count(verified, "recorded state")} verified in every bit`;
  return [
    color.dim(`${shownText(name)} after step ${groupDigits(step)}${proof}`),
    ...texts.map(({ prompt, text }) => `\n${color.bold(shownText(prompt))}${shownText(text)}`),
  ].join("\n");
}

const invisible = /[\p{C}\p{Zl}\p{Zp}]/u;

/** A text with its line ends and tabs; other control characters have the names of their tokens. */
function shownText(text: string): string {
  return Array.from(text, (character) => {
    const isLayout = character === "\n" || character === "\t";
    return !isLayout && invisible.test(character) ? tokenName(character.codePointAt(0) ?? 0, character) : character;
  }).join("");
}
