import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { callbackMethods } from "../../src/bridge/trainer-callback.js";
import { createProgram } from "../../src/commands/program.js";
import { errorCodes, exitCodes } from "../../src/errors.js";
import { channelCommandSchema, channelMessageSchema, trainerControlSchema } from "../../src/protocol/events.js";
import { operations } from "../../src/protocol/operations.js";

const typesOf = (schema: { options: readonly { shape: { type: { value: string } } }[] }) => schema.options.map(({ shape }) => shape.type.value);

/** Every command with its arguments and options, as a script writes them. */
function commandsOf(command: Command, path: readonly string[] = []): [string, string[]][] {
  const name = [...path, command.name()].join(" ");
  const words = [...command.registeredArguments.map((argument) => argument.name()), ...command.options.map(({ flags }) => flags)];
  return [[name, words], ...command.commands.flatMap((child) => commandsOf(child, [...path, command.name()]))];
}

/** Names that `src/index.ts` exports: values by asking it, types by reading it. */
async function exportedNames(): Promise<{ values: string[]; types: string[] }> {
  const text = readFileSync("src/index.ts", "utf8");
  const types = [...text.matchAll(/\btype (\w+)/g)].map(([, name = ""]) => name);
  const typeOnly = [...text.matchAll(/export type \{([^}]+)\}/g)].flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()));
  return { values: Object.keys(await import("../../src/index.js")).sort(), types: [...types, ...typeOnly].sort() };
}

/** Everything that other people's programs and scripts name. */
export async function publicSurface(): Promise<Record<string, unknown>> {
  return {
    exports: await exportedNames(),
    errorCodes,
    exitCodes,
    commands: Object.fromEntries(commandsOf(await createProgram())),
    messages: typesOf(channelMessageSchema),
    channelCommands: typesOf(channelCommandSchema),
    operations: Object.keys(operations),
    callbackMethods,
    trainerControl: Object.keys(trainerControlSchema.shape),
  };
}
