import type { Command } from "commander";
import { z } from "zod";

const optionSchema = z.strictObject({ flags: z.string(), description: z.string(), default: z.json().optional() });
const argumentSchema = z.strictObject({ name: z.string(), description: z.string(), required: z.boolean(), variadic: z.boolean() });

/** What a command takes, for scripts and agents: the document of `--help --json`. */
export const helpDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/help@1"),
  command: z.string(),
  description: z.string(),
  usage: z.string(),
  arguments: z.array(argumentSchema),
  options: z.array(optionSchema),
  commands: z.array(z.strictObject({ name: z.string(), description: z.string() })),
});
export type HelpDocument = z.output<typeof helpDocumentSchema>;

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

/** Describe a command. */
export function helpDocument(command: Command): HelpDocument {
  const help = command.createHelp();
  return {
    schema: "bh-bridge/help@1",
    command: fullName(command),
    description: command.description(),
    usage: help.commandUsage(command),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      required: argument.required,
      variadic: argument.variadic,
    })),
    options: help
      .visibleOptions(command)
      .map(({ flags, description, defaultValue }) => ({ flags, description, ...(defaultValue !== undefined && { default: defaultValue }) })),
    commands: help.visibleCommands(command).map((below) => ({ name: below.name(), description: below.description() })),
  };
}
