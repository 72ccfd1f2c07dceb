import { Command } from "commander";
import { expect, test } from "vitest";
import {
  type CommonOptions,
  commonOptions,
  createCommand,
  outOption,
  repeated,
  splitCommonOptions,
  withCommonOptions,
} from "../../../../src/commands/terminal/command.js";
import { progressModeOf } from "../../../../src/commands/terminal/shown-error.js";

/** What a subcommand takes its common options to be, from a command line. */
function parsed(...words: string[]): CommonOptions {
  let options: CommonOptions | undefined;
  const inner = createCommand("inner", "", "inner").action((_: object, command: Command) => {
    options = commonOptions(command);
  });
  createCommand("outer", "", "outer").addCommand(inner).parse(words, { from: "user" });
  if (!options) throw new Error("it did not run");
  return options;
}

test("common options mean the same before the name of a subcommand and behind it", () => {
  expect(parsed("inner", "--json", "--no-color")).toMatchObject({ json: true, color: false });
  expect(parsed("--json", "--no-color", "inner")).toMatchObject({ json: true, color: false });
  expect(parsed("-q", "inner", "--progress", "json")).toMatchObject({ quiet: true, progress: "json", color: true });
  expect(parsed("inner")).toEqual({ color: true });
});

test("a command without one above has its own", () => {
  const command = createCommand("alone", "", "alone").parse(["--quiet"], { from: "user" });
  expect(commonOptions(command)).toEqual({ quiet: true, color: true });
});

test("progress is one of its kinds", () => {
  const command = createCommand("alone", "", "alone")
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  expect(() => command.parse(["--progress", "bars"], { from: "user" })).toThrow(expect.objectContaining({ code: "commander.invalidArgument" }));
});

test("an option that may be repeated keeps all in their order", () => {
  const command = new Command().option("--set <value>", "", repeated).addOption(outOption()).parse(["--set", "a", "--set", "b"], { from: "user" });
  expect(command.opts()).toEqual({ set: ["a", "b"], out: "runs" });
});

const program = new Command("bh-bridge")
  .addCommand(createCommand("train", "", "train"))
  .addCommand(createCommand("sweep", "", "sweep").addCommand(createCommand("status", "", "status")))
  .addCommand(new Command("config").addCommand(createCommand("print", "", "print")));

test.each([
  ["--json train --out x", "train --json --out x"],
  ["--progress json -q sweep status d", "sweep status --progress json -q d"],
  ["--json sweep sigma.yaml", "sweep --json sigma.yaml"],
  ["--no-color config print", "config print --no-color"],
  ["--progress=none --verbose train", "train --progress=none --verbose"],
  ["train --json", "train --json"],
  ["--json --help", "--help --json"],
  ["--version", "--version"],
])("common options may stand before the command: %s", (line, expected) => {
  const { common, rest } = splitCommonOptions(line.split(" "));
  expect(withCommonOptions(common, rest, program).join(" ")).toBe(expected);
});

test("common options alone ask for nothing", () => expect(withCommonOptions(["--json"], [], program)).toEqual([]));

test.each([
  [["train"], "auto"],
  [["train", "--progress", "json"], "json"],
  [["train", "--progress=plain", "--json"], "plain"],
  [["train", "--progress", "json", "--progress", "none"], "none"],
  [["train", "--progress", "nonsense"], "auto"],
  [["train", "--progress"], "auto"],
])("%j asks for %s", (argv, mode) => expect(progressModeOf(argv)).toBe(mode));
