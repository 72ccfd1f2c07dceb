import { type Command, Option } from "commander";
import type { AliasValues } from "../../config/aliases.js";
import { engines } from "../../config/engine-schema.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import type { Assignment } from "../../config/set-layer.js";
import { BhBridgeError } from "../../errors.js";
import { runsFolder } from "../../runs/run-layout.js";
import { repeated } from "../terminal/command.js";

/** The options that say what to run, as commander gives them. */
export interface ConfigOptionValues extends AliasValues {
  preset?: string;
  config?: string;
  set?: string[];
  from?: string;
}

/** Add the options that say what to run: a preset, a file, single values, and the short forms of the most used ones. */
export function addConfigOptions(command: Command): Command {
  return command
    .option("-p, --preset <name>", "start from this preset (see: bh-bridge presets)")
    .option("-c, --config <file>", "JSON, YAML, TypeScript or JavaScript file, or a run directory")
    .addOption(new Option("--set <path=value>", "set one value, for example training.learning_rate=3e-4; may be repeated").argParser(repeated))
    .addOption(new Option("--corpus <file>", "text to train on; several, each with as many windows, when repeated (data.corpus)").argParser(repeated))
    .option("--steps <n>", "optimizer steps (training.max_steps)")
    .option("--lr <rate>", "learning rate (training.learning_rate)")
    .option("--batch-size <n>", "windows in a batch (training.per_device_train_batch_size)")
    .option("--seed <n>", "seed of every random stream (seed)")
    .option("--device <name>", "auto, cpu, cuda, cuda:N or mps (device)")
    .option("--threads <n>", "CPU threads of PyTorch (threads)")
    .option("--nproc <n>", "processes that share each batch, started by torchrun (engine.processes)")
    .option(
      "--from <checkpoint>",
      "saved model (a directory, or a .pt, .bin, .safetensors or .npz with the weights of a GPT-2) or run to start from (model.from); RUN::STEP takes the embedding of a recorded step (init)",
    )
    .option("--engine <name>", `${engines.join(" or ")} (engine.name)`)
    .option("--name <text>", "display name of the run (name)")
    .option("--python <path>", "Python interpreter (python)");
}

/**
 * The configuration that these options ask for.
 *
 * @param out folder that holds the runs, whose names `from` may have.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; what looking for the run of `from` gives.
 */
export async function loadFromOptions({ preset, config, set, from, ...aliases }: ConfigOptionValues, out: string = runsFolder): Promise<ResolvedConfig> {
  const { loadRunConfig } = await import("../../bridge/load-run-config.js");
  return loadRunConfig({ preset, file: config, set, aliases, assignments: from === undefined ? [] : await assignmentsOf(from, out) });
}

/** The values that `--from CHECKPOINT|RUN[::STEP]` stands for. */
async function assignmentsOf(from: string, out: string): Promise<Assignment[]> {
  const [{ startFrom }, { splitTarget }, { findPath }] = await Promise.all([
    import("../../runner/start-from.js"),
    import("../terminal/target.js"),
    import("../../runs/find-path.js"),
  ]);
  const source = "--from";
  const [left, step] = splitTarget(from);
  if (step !== undefined && !/^\d{1,15}$/.test(step)) throw new BhBridgeError("USAGE", `--from ${from}: after :: comes the number of a recorded step`);
  const start = await startFrom(await findPath(left, out), step === undefined ? {} : { step: Number(step) });
  return [
    ...("init" in start ? [{ path: "init", value: start.init, source }] : []),
    ...Object.entries(start.model).map(([field, value]) => ({ path: `model.${field}`, value, source })),
  ];
}
