import type { Command } from "commander";
import { inlineYaml } from "../../config/annotated-yaml.js";
import { engines } from "../../config/engine-schema.js";
import { isPlainObject } from "../../config/json-value.js";
import type { AliasValues, Assignment } from "../../config/layers.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { BhBridgeError } from "../../errors.js";
import { runsFolder } from "../../runs/run-layout.js";
import { count, type TextColors } from "../../text/format.js";
import { repeated } from "../terminal/command.js";

export interface ConfigOptionValues extends AliasValues {
  preset?: string;
  config?: string;
  set?: string[];
  from?: string;
  resumeState?: boolean;
}

/** Add the options of single fields that a run, a sweep and an experiment share. */
export function addFieldOptions(command: Command): Command {
  return command
    .option("--corpus <file>", "training text; may be repeated, each text then has as many windows (data.corpus)", repeated)
    .option("--steps <n>", "optimizer steps (training.max_steps)")
    .option("--lr <rate>", "learning rate (training.learning_rate)")
    .option("--batch-size <n>", "windows per batch (training.per_device_train_batch_size)")
    .option("--device <name>", "auto, cpu, cuda, cuda:N or mps (device)")
    .option("--python <path>", "Python interpreter (python)");
}

/** Add the options that select a configuration: a preset, a file, single values, and short forms of the most used fields. */
export function addConfigOptions(command: Command): Command {
  const based = command
    .option("-p, --preset <name>", "preset to start from (see: bh-bridge presets)")
    .option("-c, --config <file>", "JSON, YAML, TypeScript or JavaScript file, or a run directory")
    .option("--set <path=value>", "value of one field, for example training.learning_rate=3e-4; may be repeated", repeated);
  return addFieldOptions(based)
    .option("--seed <n>", "seed of every random stream (seed)")
    .option("--threads <n>", "CPU threads of PyTorch (threads)")
    .option("--nproc <n>", "processes that share each batch, started by torchrun (engine.processes)")
    .option("--from <checkpoint>", "saved model or run to start from (model.from); RUN::STEP takes the embedding of a recorded step (init)")
    .option("--engine <name>", `${engines.join(" or ")} (engine.name)`)
    .option("--name <text>", "display name of the run (name)");
}

/**
 * Load the configuration that these options select.
 * @param out folder of the runs that `from` may name.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; as `findPath` for the run of `from`.
 */
export async function loadFromOptions(
  { preset, config, set, from, resumeState, ...aliases }: ConfigOptionValues,
  out: string = runsFolder,
): Promise<ResolvedConfig> {
  const { loadRunConfig } = await import("../../bridge/load-run-config.js");
  return loadRunConfig({ preset, file: config, set, aliases, resumeState, assignments: from === undefined ? [] : await assignmentsOf(from, out) });
}

/** The field values of `--from CHECKPOINT|RUN[::STEP]`. */
async function assignmentsOf(from: string, out: string): Promise<Assignment[]> {
  const { startFrom } = await import("../../runner/resume.js");
  const { splitTarget } = await import("../terminal/target.js");
  const { findPath } = await import("../../runs/checkpoint.js");
  const source = "--from";
  const [left, step] = splitTarget(from);
  if (step !== undefined && !/^\d{1,15}$/.test(step)) throw new BhBridgeError("USAGE", `--from ${from}: expected the number of a recorded step after ::`);
  const start = await startFrom(await findPath(left, out), step === undefined ? {} : { step: Number(step) });
  return [
    ...("init" in start ? [{ path: "init", value: start.init, source }] : []),
    ...Object.entries(start.model).map(([field, value]) => ({ path: `model.${field}`, value, source })),
  ];
}

/** Column of the comments: beyond all but the longest fields. */
const commentColumn = 44;

/** A configuration as YAML that loads back unchanged; a comment after each value names its source, and the preset's value if that differs. */
export function formatResolved(resolved: ResolvedConfig, color: TextColors): string {
  const { preset, hash, changes } = resolved;
  const changed = changes.length === 0 ? "unchanged" : `${count(changes.length, "value")} changed`;
  const title = color.dim(`# ${preset}, ${changed}, hash ${hash.slice(0, 8)}`);
  return [title, `preset: ${preset}`, ...fieldLines(resolved.config, [], resolved, color)].join("\n");
}

function fieldLines(object: Record<string, unknown>, path: readonly string[], resolved: ResolvedConfig, color: TextColors): string[] {
  const indent = "  ".repeat(path.length);
  return Object.entries(object).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const here = [...path, key];
    if (isPlainObject(value) && Object.keys(value).length > 0) return [`${indent}${inlineYaml(key)}:`, ...fieldLines(value, here, resolved, color)];
    const text = `${indent}${inlineYaml(key)}: ${inlineYaml(value)}`;
    return [`${text.padEnd(commentColumn)} ${comment(here.join("."), resolved, color)}`];
  });
}

function comment(path: string, { sources, changes }: ResolvedConfig, color: TextColors): string {
  const source = sources.get(path) ?? "default";
  const change = changes.find((one) => one.path === path);
  if (change === undefined) return color.dim(`# ${source}`);
  const before = change.before === undefined ? "not set" : inlineYaml(change.before);
  return `${color.dim("#")} ${color.cyan(source)}${color.dim(`, preset: ${before}`)}`;
}
