import { type Command, InvalidArgumentError } from "commander";
import { exitCodes } from "../../errors.js";
import { type CommonOptions, createCommand, outOption } from "../terminal/command.js";
import { parseStep } from "../terminal/parse-step.js";
import { Terminal } from "../terminal/terminal.js";
import type { ReproduceDocument } from "./reproduce-document.js";

interface ReproduceCommandOptions extends CommonOptions {
  out: string;
  steps?: number;
  corpus?: string;
  python?: string;
  deep?: boolean;
}

/** `bh-bridge reproduce RUN`: train it again, and say whether it comes out the same. */
export function reproduceCommand(): Command {
  return createCommand(
    "reproduce",
    "Train a run again, report the first difference in bits, and note it in the run",
    "bh-bridge reproduce runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c",
    "bh-bridge reproduce runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --steps 2",
    "bh-bridge reproduce runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --deep",
  )
    .argument("<run>", "path, name, or unique beginning of a name")
    .option("--steps <n>", "train so many steps again; all that were recorded by default", parseStepNumber)
    .option("--deep", "where it is not equal, train it twice more, and say in which module of which step these two part")
    .option("--corpus <file>", "where the same text lies now")
    .option("--python <path>", "Python interpreter")
    .addOption(outOption())
    .action(reproduceInTerminal);
}

function parseStepNumber(text: string): number {
  const step = parseStep(text);
  if (step > 0) return step;
  throw new InvalidArgumentError("At least one step is trained again.");
}

async function reproduceInTerminal(given: string, { out, steps, corpus, python, deep, ...options }: ReproduceCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const [{ deepenReproduction, planReproduction, reproduceRun }, { directoryOfRun }, { trainAgainInTerminal }, { formatReproduction }] = await Promise.all([
    import("../../compare/reproduce.js"),
    import("../../runs/resolve-run.js"),
    import("./train-again-in-terminal.js"),
    import("./format-reproduction.js"),
  ]);
  const plan = await planReproduction(await directoryOfRun(given, out), { steps, corpus });
  const reproduction = await trainAgainInTerminal(plan, python, terminal, async (found, { signal, listen }) => {
    const reproduced = await reproduceRun(plan, found, { signal }, listen(plan.run, plan.until));
    return deep ? deepenReproduction(plan, reproduced, { python: async () => found, signal, listen }) : reproduced;
  });
  const document: ReproduceDocument = { schema: "bh-bridge/reproduce@1", ...reproduction };
  terminal.document(document);
  terminal.print(formatReproduction(reproduction, terminal.color, terminal.width));
  if (!reproduction.equal) process.exitCode = exitCodes.failed;
}
