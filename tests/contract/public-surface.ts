import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { callbackMethods } from "../../src/bridge/trainer-callback.js";
import { createProgram } from "../../src/commands/run-program.js";
import { errorCodes, exitCodes } from "../../src/errors.js";
import { trainEventSchema, trainerControlSchema } from "../../src/protocol/events.js";

/** Everything that programs and scripts of users name, of one version of the package. */
export interface PublicSurface {
  version: string;
  errorCodes: readonly string[];
  exitCodes: Readonly<Record<string, number>>;
  /** Lists of names: new ones may come, but none may go. */
  names: Readonly<Record<string, readonly string[]>>;
}

/** The names of the options of every command: `bh-bridge train` has `--preset` and `-p`. A name such as `bh-bridge config`, which only groups others, is no command. */
function optionsOf(command: Command, path: readonly string[] = []): [string, string[]][] {
  const name = [...path, command.name()];
  const options = command.options.flatMap(({ long, short }) => [long, short]).filter((option) => typeof option === "string");
  const isGroup = command.commands.length > 0 && options.length === 0;
  return [...(isGroup ? [] : [[name.join(" "), options] as [string, string[]]]), ...command.commands.flatMap((child) => optionsOf(child, name))];
}

/** Names of options by command; those that every command has are listed once. */
function optionNames(program: Command): Record<string, string[]> {
  const [top, ...commands] = optionsOf(program);
  const common = commands.map(([, options]) => options).reduce((shared, options) => shared.filter((option) => options.includes(option)));
  const own = commands.map(([name, options]) => [name, options.filter((option) => !common.includes(option)).sort()]);
  return { "bh-bridge": top?.[1] ?? [], "every command": common.sort(), ...Object.fromEntries(own) };
}

/** Names that `src/index.ts` exports: values by importing it, types by reading it. */
async function exportedNames(): Promise<{ values: string[]; types: string[] }> {
  const text = readFileSync("src/index.ts", "utf8");
  const types = [...text.matchAll(/\btype (\w+)/g)].map(([, name = ""]) => name);
  const typeOnly = [...text.matchAll(/export type \{([^}]+)\}/g)].flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()));
  return { values: Object.keys(await import("../../src/index.js")).sort(), types: [...types, ...typeOnly].filter((name) => name !== "").sort() };
}

export async function publicSurface(): Promise<PublicSurface> {
  const { values, types } = await exportedNames();
  return {
    version: (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version,
    errorCodes: [...errorCodes],
    exitCodes,
    names: {
      "exported values": values,
      "exported types": types,
      events: trainEventSchema.options.map(({ shape }) => shape.type.value),
      "callback methods": Object.values(callbackMethods),
      "trainer control": Object.keys(trainerControlSchema.shape),
      ...optionNames(await createProgram()),
    },
  };
}

/** The pinned names that a surface no longer has, such as `events: save`. */
export function missingNames(pinned: PublicSurface["names"], names: PublicSurface["names"]): string[] {
  return Object.entries(pinned).flatMap(([list, pinnedNames]) =>
    names[list] === undefined ? [list] : pinnedNames.filter((name) => !names[list]?.includes(name)).map((name) => `${list}: ${name}`),
  );
}
