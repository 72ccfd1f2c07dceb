// The pages of the command line, from the objects that parse it.
import { anchor, code, fenced, page, prose, table } from "./markdown.mjs";

/** Failures of single commands in which nothing went wrong. */
const failures = {
  train: "failed, or the final weights are not finite",
  resume: "failed, or the final weights are not finite",
  judge: "failed, or the verdict is not that of `--assert`",
  "runs show": "the run cannot be read",
  "runs verify": "the run is damaged",
  compare: "failed, or the runs differ in a part that `--assert-equal` names",
  reproduce: "failed, or the run was not reproduced",
  audit: "failed, or there are findings",
};

/** Commands of which a part can fail. */
const partial = ["sweep", "sweep retry", "experiment"];

/** Options of every command. */
export const commonNames = ["--json", "--quiet", "--verbose", "--progress", "--no-color"];

const isCommon = (option) => commonNames.includes(option.long);

/** The name of a command as it is typed, without that of the program. */
function nameOf(command) {
  return command.parent ? [nameOf(command.parent), command.name()].filter(Boolean).join(" ") : "";
}

/** A command and all below it. */
function withSubcommands(command) {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function shownValue(value) {
  return Array.isArray(value) ? value.join(",") : String(value);
}

function optionRow(option) {
  const { flags, description, argChoices, defaultValue, negate } = option;
  const choices = argChoices ? `; one of ${argChoices.map(code).join(", ")}` : "";
  const isShown = defaultValue !== undefined && !negate && shownValue(defaultValue) !== "";
  return [code(flags), prose(description) + choices, isShown ? code(shownValue(defaultValue)) : ""];
}

/** The options of a command; the last column is omitted if none has a default. */
function optionTable(options) {
  const rows = options.map(optionRow);
  const columns = rows.some(([, , value]) => value !== "") ? 3 : 2;
  return table(
    ["option", "description", "default"].slice(0, columns),
    rows.map((row) => row.slice(0, columns)),
  );
}

function argumentRow(argument) {
  const { description, required, variadic, defaultValue } = argument;
  const name = `${argument.name()}${variadic ? "..." : ""}`;
  return [code(required ? `<${name}>` : `[${name}]`), prose(description) + (defaultValue === undefined ? "" : ` (default: ${code(shownValue(defaultValue))})`)];
}

/** The examples below the help of a command. */
export function examplesOf(command) {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return [...text.matchAll(/^ {2}\$ (.*)$/gm)].map(([, example]) => example);
}

function usageOf(command) {
  return `bh-bridge ${nameOf(command)} ${command
    .createHelp()
    .commandUsage(command)
    .split(/ (?=\[|<)/)
    .slice(1)
    .join(" ")}`.trim();
}

/** The exit codes of a command as one line. */
function exitLine(command, codes) {
  const name = nameOf(command);
  const meanings = [
    `${codes.ok} ${name === "doctor" ? "all is well" : "done"}`,
    `${codes.failed} ${failures[name] ?? "failed"}`,
    `${codes.usage} wrong usage or configuration`,
    `${codes.environment} ${name === "doctor" ? "something is missing" : "environment"}`,
    ...(partial.includes(name) ? [`${codes.sweepPartlyFailed} some trials failed`] : []),
    `${codes.sigint}, ${codes.sigterm} stopped by Ctrl-C, SIGTERM`,
  ];
  return `[Exit codes](index.md#exit-codes): ${meanings.join(" · ")}`;
}

/** The blocks of one command, without its heading. */
function commandBlocks(command, exitCodes) {
  if (command.options.length === 0) return [sentence(command.description())];
  const own = command.options.filter((option) => !isCommon(option) && !option.hidden);
  const argumentRows = command.registeredArguments.map(argumentRow);
  return [
    sentence(command.description()),
    fenced(usageOf(command)),
    table(["argument", "description"], argumentRows),
    own.length > 0 && optionTable(own),
    `The [common options](index.md#common-options) apply as well.`,
    fenced(
      examplesOf(command)
        .map((example) => `$ ${example}`)
        .join("\n"),
      "console",
    ),
    exitLine(command, exitCodes),
  ];
}

function sentence(text) {
  return `${prose(text)}.`;
}

const headingOf = (command) => `bh-bridge ${nameOf(command)}`;

/** The page of a command and its subcommands. */
function commandPage(command, exitCodes) {
  const below = withSubcommands(command).slice(1);
  const list = below.map((each) => `- [${headingOf(each)}](#${anchor(headingOf(each))}): ${prose(each.description())}`).join("\n");
  return page(
    headingOf(command),
    commandBlocks(command, exitCodes),
    list,
    ...below.flatMap((each) => [`## ${headingOf(each)}`, ...commandBlocks(each, exitCodes)]),
  );
}

function indexPage(program, exitCodes) {
  const rows = program.commands.flatMap(withSubcommands).map((command) => {
    const [top] = nameOf(command).split(" ");
    const target = nameOf(command) === top ? "" : `#${anchor(headingOf(command))}`;
    return [`[${code(nameOf(command))}](${top}.md${target})`, prose(command.description())];
  });
  const [sample] = program.commands;
  return page(
    "Command line",
    sentence(program.description().replace(/\.$/, "")),
    fenced("bh-bridge [command] [options]"),
    "`npx bh-bridge` runs the program in a project that has the package. `bh-bridge help COMMAND` and `bh-bridge COMMAND --help` print what these pages contain.",
    table(["command", "description"], rows),
    "## Common options",
    "Every command accepts these options, before or after its name. [Scripting](../../scripting.md) describes `--json` and `--progress`.",
    optionTable(sample.options.filter(isCommon)),
    "`-h` or `--help` prints the help of a command, and `bh-bridge --version` the version.",
    "## Exit codes",
    table(
      ["exit code", "meaning"],
      [
        [exitCodes.ok, "done"],
        [exitCodes.failed, "failed, including a training whose final weights are not finite"],
        [exitCodes.usage, "wrong usage or configuration"],
        [exitCodes.environment, "environment: Python, packages, device or cluster"],
        [exitCodes.sweepPartlyFailed, "part of a sweep or an experiment failed"],
        [`${exitCodes.sigint}, ${exitCodes.sigterm}`, "stopped by Ctrl-C or SIGTERM"],
      ],
    ),
    "Every error prints its code first, such as `RUN_CORRUPT`. [Errors](../errors.md) has the cause and the remedy of each.",
  );
}

/** The pages of the command line by their paths. */
export async function commandPages() {
  const { createProgram } = await import("../../src/commands/run-program.ts");
  const { exitCodes } = await import("../../src/errors.ts");
  const program = await createProgram();
  const pages = program.commands.map((command) => [`cli/${command.name()}.md`, commandPage(command, exitCodes)]);
  return { "cli/index.md": indexPage(program, exitCodes), ...Object.fromEntries(pages) };
}
