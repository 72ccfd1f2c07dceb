import type { Command } from "commander";
import { afterEach, expect, test } from "vitest";
import { createProgram } from "../../../src/commands/run-program.js";
import { helpDocumentSchema } from "../../../src/commands/terminal/command.js";

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

const program = await createProgram();
const all = () => withSubcommands(program).filter((command) => command.name() !== "help");

test("every command has a description, and every one that does something an example", () => {
  for (const command of all()) {
    expect(command.description(), command.name()).toMatch(/^[A-Z]/);
    if (command.commands.length === 0) expect(helpOf(command), command.name()).toMatch(/Example:\n {2}\$ bh-bridge /);
  }
});

test("every command that does something takes --json, --quiet and --no-color", () => {
  for (const command of all().filter(({ commands }) => commands.length === 0)) {
    expect(command.options.map(({ long }) => long)).toEqual(expect.arrayContaining(["--json", "--quiet", "--no-color"]));
  }
});

const argv = process.argv;
afterEach(() => {
  process.argv = argv;
});

test("--help --json is one document for each command", () => {
  process.argv = [...argv, "--json"];
  for (const command of all()) expect(helpDocumentSchema.parse(JSON.parse(helpOf(command))).description).toBe(command.description());
});

/** The help of a command on a terminal of this width. */
function helpAt(command: Command, width: number): string {
  command.configureOutput({ getOutHelpWidth: () => width });
  return helpOf(command);
}

test.each([60, 80, 120])("every help page fits a terminal of %i columns, with no word broken", (width) => {
  for (const command of all()) {
    const page = helpAt(command, width);
    const isWhole = (line: string) => line.startsWith("  $ ") || line.startsWith("Usage: ") || /^\s*\S+$/.test(line);
    expect(
      page.split("\n").filter((line) => line.length > width && !isWhole(line)),
      command.name(),
    ).toEqual([]);
    const words = new Set(page.split(/\s+/));
    const described = [...command.options, ...command.commands, command].flatMap((each) =>
      (typeof each.description === "string" ? each.description : each.description()).split(/\s+/),
    );
    expect(
      described.filter((word) => !words.has(word) && !words.has(`${word}.`)),
      command.name(),
    ).toEqual([]);
  }
});
