import { existsSync } from "node:fs";
import { Command } from "commander";
import { z } from "zod";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { runConfigSchema } from "../../config/run-config-schema.js";
import { wrap } from "../../text/wrap.js";
import { type CommonOptions, createCommand, helpEnding } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import { addConfigOptions, type ConfigOptionValues, loadFromOptions } from "./config-options.js";

const value = z.json();

/** The document of `config print --json` and `train --print-config --json`. */
export const configDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/config@1"),
  preset: z.string(),
  hash: z.string(),
  config: runConfigSchema,
  sources: z.record(z.string(), z.string()),
  /** Differences to the preset; a side without a value is omitted. */
  changes: z.array(z.strictObject({ path: z.string(), before: value.optional(), after: value.optional(), typeChanged: z.boolean(), source: z.string() })),
});

export type ConfigDocument = z.output<typeof configDocumentSchema>;

export function configDocument({ preset, hash, config, sources, changes }: ResolvedConfig): ConfigDocument {
  return { schema: "bh-bridge/config@1", preset, hash, config, sources: Object.fromEntries(sources), changes };
}

/** The document of `config check --json` for a valid configuration. An invalid one gives `bh-bridge/error@1`. */
export const configCheckDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/config-check@1"),
  ok: z.literal(true),
  preset: z.string(),
  hash: z.string(),
  changes: z.int(),
});

export type ConfigCheckDocument = z.output<typeof configCheckDocumentSchema>;

/** The document of `config schema --json`. */
export const configSchemaDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/config-schema@1"), jsonSchema: z.record(z.string(), z.unknown()) });

export type ConfigSchemaDocument = z.output<typeof configSchemaDocumentSchema>;

/** The document of `config diff --json`. */
export const configDiffDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/config-diff@1"),
  before: z.strictObject({ source: z.string(), hash: z.string() }),
  after: z.strictObject({ source: z.string(), hash: z.string() }),
  differences: z.array(z.strictObject({ path: z.string(), before: value.optional(), after: value.optional(), typeChanged: z.boolean() })),
});

export type ConfigDiffDocument = z.output<typeof configDiffDocumentSchema>;

export function configCommand(): Command {
  return new Command("config")
    .description("Print, check and compare configurations")
    .addHelpText("after", () => helpEnding("Example:\n  $ bh-bridge config print --preset quick > my.yaml"))
    .addCommand(printCommand())
    .addCommand(checkCommand())
    .addCommand(schemaCommand())
    .addCommand(diffCommand());
}

type Options = CommonOptions & ConfigOptionValues;

function printCommand(): Command {
  const command = createCommand("print", "Print a configuration as YAML with each field's documentation", "bh-bridge config print --preset quick > my.yaml");
  return addConfigOptions(command).action(async (options: Options) => {
    const terminal = new Terminal(options);
    const [{ annotatedYaml }, resolved] = await Promise.all([import("../../config/annotated-yaml.js"), loadFromOptions(options)]);
    terminal.print(annotatedYaml(resolved, process.cwd()));
    terminal.document(configDocument(resolved));
  });
}

function checkCommand(): Command {
  const command = createCommand("check", "Check a configuration and list every problem", "bh-bridge config check my.yaml");
  return addConfigOptions(command.argument("[file]", "configuration file or run directory")).action(async (file: string | undefined, options: Options) => {
    const terminal = new Terminal(options);
    const [{ formatChanges }, resolved] = await Promise.all([
      import("../../config/annotated-yaml.js"),
      loadFromOptions(file === undefined ? options : { ...options, config: file }),
    ]);
    const { preset, hash, changes } = resolved;
    terminal.print(`${terminal.color.green("The configuration is valid.")} Hash ${hash.slice(0, 8)}.\n${formatChanges(resolved, terminal.color)}`);
    terminal.document({ schema: "bh-bridge/config-check@1", ok: true, preset, hash, changes: changes.length } satisfies ConfigCheckDocument);
  });
}

function schemaCommand(): Command {
  return createCommand("schema", "Print the JSON Schema of configuration files", "bh-bridge config schema > config.schema.json").action(
    async (options: CommonOptions) => {
      const { configJsonSchema } = await import("../../config/json-schema.js");
      const terminal = new Terminal(options);
      const jsonSchema = configJsonSchema();
      terminal.print(JSON.stringify(jsonSchema, null, 2));
      terminal.document({ schema: "bh-bridge/config-schema@1", jsonSchema } satisfies ConfigSchemaDocument);
    },
  );
}

function diffCommand(): Command {
  return createCommand("diff", "Show the fields in which two configurations differ", "bh-bridge config diff rmsnorm-11.2a my.yaml")
    .argument("<a>", "preset, configuration file or run directory")
    .argument("<b>", "preset, configuration file or run directory")
    .action(async (a: string, b: string, options: CommonOptions) => {
      const terminal = new Terminal(options);
      const [{ diffRunConfigs }, { formatDifference }, before, after] = await Promise.all([
        import("../../config/config-hash.js"),
        import("../../config/annotated-yaml.js"),
        loadNamed(a),
        loadNamed(b),
      ]);
      const differences = diffRunConfigs(before.config, after.config);
      const width = Math.max(0, ...differences.map(({ path }) => path.length));
      const lines = differences.map((difference) => wrap(formatDifference(difference, width, terminal.color), terminal.width, width + 2));
      terminal.print(lines.length === 0 ? `${a} and ${b} are the same configuration.` : lines.join("\n"));
      const named = (source: string, { hash }: ResolvedConfig) => ({ source, hash });
      terminal.document({ schema: "bh-bridge/config-diff@1", before: named(a, before), after: named(b, after), differences } satisfies ConfigDiffDocument);
    });
}

/** Load the preset of this name, or the file if it looks like a path. */
async function loadNamed(name: string): Promise<ResolvedConfig> {
  const [{ isPresetName }, { loadRunConfig }] = await Promise.all([import("../../config/presets.js"), import("../../bridge/load-run-config.js")]);
  const isPath = !isPresetName(name) && (existsSync(name) || /\/|\.(?:json|ya?ml|m?[jt]s)$/.test(name));
  return loadRunConfig(isPath ? { file: name } : { preset: name });
}
