import type { Command } from "commander";
import type { Reproduction } from "../../compare/reproduce.js";
import { inlineYaml } from "../../config/annotated-yaml.js";
import { exitCodes } from "../../errors.js";
import { groupDigits, type TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { divergenceLines, recordPosition } from "../compare/format-comparison.js";
import type { ReproduceDocument } from "../documents.js";
import { type CommonOptions, createCommand, outOption } from "../terminal/command.js";
import { parseWhole } from "../terminal/target.js";
import { Terminal } from "../terminal/terminal.js";

type ReproduceCommandOptions = CommonOptions & { out: string; steps?: number; corpus?: string; python?: string; deep?: boolean };

export function reproduceCommand(): Command {
  return createCommand(
    "reproduce",
    "Train a run again, report the first difference in bits, and note it in the run",
    "bh-bridge reproduce runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c",
    "bh-bridge reproduce runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --steps 2",
    "bh-bridge reproduce runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --deep",
  )
    .argument("<run>", "path, name, or unique prefix of a name")
    .option("--steps <n>", "number of steps to train again (default: all recorded steps)", parseWhole(1))
    .option("--deep", "search for the first different module if the runs differ (trains twice more)")
    .option("--corpus <file>", "current path of the training text")
    .option("--python <path>", "Python interpreter")
    .addOption(outOption())
    .action(reproduceInTerminal);
}

async function reproduceInTerminal(given: string, { out, steps, corpus, python, deep, ...options }: ReproduceCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { deepenReproduction, planReproduction, reproduceRun } = await import("../../compare/reproduce.js");
  const { directoryOfRun } = await import("../../runs/scan-runs.js");
  const { trainAgainInTerminal } = await import("./train-again-in-terminal.js");
  const plan = await planReproduction(await directoryOfRun(given, out), { steps, corpus });
  const reproduction = await trainAgainInTerminal(plan, python, terminal, async (found, { signal, listen }) => {
    const reproduced = await reproduceRun(plan, found, { signal }, listen(plan.run, plan.until));
    return deep ? deepenReproduction(plan, reproduced, { python: async () => found, signal, listen }) : reproduced;
  });
  terminal.document({ schema: "bh-bridge/reproduce@1", ...reproduction } satisfies ReproduceDocument);
  terminal.print(formatReproduction(reproduction, terminal.color, terminal.width));
  if (!reproduction.equal) process.exitCode = exitCodes.failed;
}

const indent = 2;

const sameEnvironment = "The recorded environment is the same. Check the run's files with: bh-bridge runs verify";

/** What engine `portable` says about changes of the environment, of which only another recipe changes bits. */
function portableLines({ equal, recipe, environment }: Pick<Reproduction, "equal" | "recipe" | "environment">): string[] {
  if (recipe === undefined) return [];
  const other = environment.find(({ path }) => path === "recipe");
  if (other) {
    const [before, now] = other.values.map(inlineYaml);
    return [
      `The run follows recipe ${before} of engine portable, this version of bh-bridge recipe ${now}, which computes other bits. Install the version of the run to compare`,
    ];
  }
  if (equal) return environment.length === 0 ? [] : ["With engine portable, they change no bit"];
  return [
    "Engine portable computes the same bits in every environment, so no change of it explains this. Check the run's files with: bh-bridge runs verify; and this machine with: bh-bridge doctor",
  ];
}

/** Format a reproduction: equality, or the first difference and the changes of the environment. */
export function formatReproduction({ steps, equal, first, loss, environment, deep, ...run }: Reproduction, color: TextColors, width?: number): string {
  const portable = portableLines({ ...run, equal, environment });
  const changes = environment.map(({ path, values: [before, now] }) => `  ${path}  ${inlineYaml(before)} → ${inlineYaml(now)}`);
  const lines = equal
    ? [
        color.green(`Equal in every bit up to step ${groupDigits(steps)}`),
        ...(changes.length > 0 ? ["Changes in the environment:", ...changes] : []),
        ...portable,
      ]
    : [
        color.red("Not equal"),
        ...(first ? [`  The history differs first at ${recordPosition(first)}`] : []),
        ...(loss ? [`  The loss differs first at step ${groupDigits(loss.step)}: ${loss.a} and ${loss.b}`] : []),
        ...(changes.length > 0 ? ["Changes in the environment:", ...changes] : run.recipe === undefined ? [sameEnvironment] : []),
        ...portable,
        ...(deep ? ["Trained twice more, one after another:", ...divergenceLines(deep, ["the first", "the second"]).map((line) => `  ${line}`)] : []),
      ];
  return wrap(lines.join("\n"), width, 2 * indent);
}
