import type { Command } from "commander";
import { BhBridgeError, exitCodes } from "../../errors.js";
import { type CommonOptions, createCommand, outOption } from "../terminal/command.js";
import { knownNames } from "../terminal/known-names.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import { Terminal } from "../terminal/terminal.js";
import type { CompareDocument } from "./compare-document.js";

interface CompareCommandOptions extends CommonOptions {
  out: string;
  assertEqual?: string;
  all?: boolean;
}

/** `bh-bridge compare RUN…`: what differs between runs, down to the first bit. */
export function compareCommand(): Command {
  return createCommand(
    "compare",
    "Say what differs between runs: configuration, data, environment, code, results, and the first bit of their histories",
    "bh-bridge compare runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c runs/2026-11-24T16-31-07-layernorm-control-5a6b7c8d",
    "bh-bridge compare runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c runs/2026-11-24T16-31-07-layernorm-control-5a6b7c8d --assert-equal history,loss,config,final",
  )
    .argument("<runs...>", "two or more: path, name, or unique beginning of a name; each is held against the first")
    .option("--assert-equal <parts>", "exit with 1 unless these are equal: history, loss, config, final, with commas between them")
    .option("--all", "tell names, paths, times and all packages too")
    .addOption(outOption())
    .action(compareRuns);
}

async function compareRuns(given: string[], options: CompareCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const [{ compare, comparableParts, unequalParts }, { directoryOfRun }] = await Promise.all([
    import("../../compare/compare.js"),
    import("../../runs/resolve-run.js"),
  ]);
  const demanded = partsOf(options.assertEqual ?? "", comparableParts);
  const runs: string[] = [];
  for (const run of given) runs.push(await directoryOfRun(run, options.out));
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the comparison" });
  const comparison = await compare(runs, { signal: stop.signal, ...(options.all && { all: true }) });
  const document: CompareDocument = { schema: "bh-bridge/compare@1", ...comparison };
  terminal.document(document);
  if (!terminal.json) {
    const { formatComparison } = await import("./format-comparison.js");
    terminal.print(formatComparison(comparison, terminal.color, terminal.width));
  }
  const unequal = unequalParts(comparison, demanded);
  if (unequal.length === 0) return;
  terminal.say(`Not equal: ${unequal.join(", ")}`);
  process.exitCode = exitCodes.failed;
}

function partsOf<Part extends string>(list: string, known: readonly Part[]): Part[] {
  const given = list
    .split(",")
    .filter((text) => text.trim() !== "")
    .join(",");
  if (given === "") return [];
  return knownNames(given, known, (name, meant) => new BhBridgeError("USAGE", `--assert-equal: "${name}" cannot be compared: ${meant}`));
}
