import { Command } from "commander";
import { z } from "zod";
import { runConfigSchema } from "../config/run-config-schema.js";
import { wrap } from "../text/wrap.js";
import { type CommonOptions, createCommand, helpEnding } from "./terminal/command.js";
import { runnable } from "./terminal/invocation.js";
import { Terminal } from "./terminal/terminal.js";

const summaryShape = { name: z.string(), title: z.string(), summary: z.string(), source: z.string() };

/** The document of `presets --json`. */
export const presetsDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/presets@1"),
  default: z.string(),
  presets: z.array(z.strictObject(summaryShape)),
  /** Experiments that `experiment` runs by name. */
  experiments: z.array(z.strictObject({ name: z.string(), title: z.string(), asks: z.string(), confound: z.string(), source: z.string() })),
});

export type PresetsDocument = z.output<typeof presetsDocumentSchema>;

/** The document of `presets show NAME --json`. */
export const presetDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/preset@1"),
  ...summaryShape,
  hash: z.string(),
  /** Differences to the defaults. */
  changes: z.array(z.strictObject({ path: z.string(), before: z.json().optional(), after: z.json().optional(), typeChanged: z.boolean() })),
  config: runConfigSchema,
});

export type PresetDocument = z.output<typeof presetDocumentSchema>;

export function presetsCommand(): Command {
  return new Command("presets")
    .description("List the presets, which are named configurations")
    .addHelpText("after", () => helpEnding("Example:\n  $ bh-bridge presets show jiggle-11.2b"))
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand());
}

function listCommand(): Command {
  return createCommand("list", "List the presets (the default subcommand)", "bh-bridge presets").action((options: CommonOptions) =>
    listPresets(new Terminal(options)),
  );
}

function showCommand(): Command {
  return createCommand("show", "Show a preset and its differences to the defaults", "bh-bridge presets show clean")
    .argument("<name>", "name of the preset")
    .action((name: string, options: CommonOptions) => showPreset(name, new Terminal(options)));
}

async function listPresets(terminal: Terminal): Promise<void> {
  const { defaultPreset, presetNames, presets } = await import("../config/presets.js");
  const { experimentPresetNames, experimentPresets } = await import("../sweep/experiment/load-experiment.js");
  const print = (name: string, title: string, text: string) =>
    terminal.print(wrap(`${terminal.color.bold(name)}  ${title}\n  ${terminal.color.dim(text)}`, terminal.width));
  for (const name of presetNames) print(name, `${presets[name].title}${name === defaultPreset ? " (default)" : ""}`, presets[name].summary);
  terminal.print(runnable("\nRun one:   bh-bridge train --preset NAME\nCopy one:  bh-bridge config print --preset NAME > my.yaml"));
  terminal.print(`\n${terminal.color.bold("Experiments")}`);
  for (const name of experimentPresetNames) print(name, experimentPresets[name].title, experimentPresets[name].asks);
  terminal.print(runnable("\nRun one:   bh-bridge experiment NAME --seeds 42..51"));
  const document: PresetsDocument = {
    schema: "bh-bridge/presets@1",
    default: defaultPreset,
    presets: presetNames.map((name) => ({ name, title: presets[name].title, summary: presets[name].summary, source: presets[name].source })),
    experiments: experimentPresetNames.map((name) => {
      const { title, asks, confound, source } = experimentPresets[name];
      return { name, title, asks, confound, source };
    }),
  };
  terminal.document(document);
}

async function showPreset(asked: string, terminal: Terminal): Promise<void> {
  const { presets } = await import("../config/presets.js");
  const { resolveRunConfig } = await import("../config/resolve-run-config.js");
  const { diffRunConfigs } = await import("../config/config-hash.js");
  const { formatDifference } = await import("../config/annotated-yaml.js");
  const [{ preset: name, config, hash }, defaults] = await Promise.all([resolveRunConfig({ preset: asked }), resolveRunConfig()]);
  const { title, summary, source } = presets[name];
  const changes = diffRunConfigs(defaults.config, config);
  const width = Math.max(0, ...changes.map(({ path }) => path.length));
  const lines = changes.map((change) => `  ${formatDifference(change, width, terminal.color)}`);
  const heading = changes.length === 0 ? "This is the default." : "Changed from the default:";
  const description = wrap(`${terminal.color.bold(name)}  ${title}\n${summary}\nFrom: ${source}`, terminal.width);
  terminal.print([description, "", heading, ...lines, "", runnable(`All values: bh-bridge config print --preset ${name}`)].join("\n"));
  terminal.document({ schema: "bh-bridge/preset@1", name, title, summary, source, hash, changes, config } satisfies PresetDocument);
}
