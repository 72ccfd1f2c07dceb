// Build dist/man/: a man page for each command, from the objects that parse the command line. package.json lists them under `man`.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import markedMan from "marked-man";
import { commonNames, examplesOf } from "./reference/commands.mjs";
import { fenced, prose } from "./reference/markdown.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "dist/man");
const [{ createProgram }, { exitCodes }, { packageManifest }] = await Promise.all([
  import("../dist/commands/run-program.js"),
  import("../dist/errors.js"),
  import("../dist/python/package-manifest.js"),
]);
const { Marked } = await import(markedOf("marked-man"));

/** The module of marked that a package extends: it changes that copy only. */
function markedOf(name) {
  const main = createRequire(fileURLToPath(import.meta.resolve(name))).resolve("marked");
  return pathToFileURL(join(dirname(main), "marked.esm.js")).href;
}

const exits = {
  [exitCodes.ok]: "done",
  [exitCodes.failed]: "failed, including a training whose final weights are not finite",
  [exitCodes.usage]: "wrong usage or configuration",
  [exitCodes.environment]: "environment: Python, packages, device or cluster",
  [exitCodes.sweepPartlyFailed]: "part of a sweep or an experiment failed",
  [`${exitCodes.sigint}, ${exitCodes.sigterm}`]: "stopped by Ctrl-C or SIGTERM",
};

const pageName = (command) => (command.parent ? `${pageName(command.parent)}-${command.name()}` : command.name());
const fullName = (command) => (command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name());

/** Terms with their descriptions, which `roff` makes tagged paragraphs. */
const terms = (rows) => rows.map(([term, description]) => `* \`${term}\`\n  ${description}`).join("\n");

/** The blocks of a command below its heading. Options that every command has are described once on a page. */
function blocksOf(command) {
  const help = command.createHelp();
  const above = command.parent?.parent ? command.parent.options.map(({ long }) => long) : [];
  const shared = [...commonNames.filter((name) => above.includes(name)), ...(above.length > 0 ? ["--help"] : [])];
  const options = help.visibleOptions(command).filter(({ long }) => !shared.includes(long));
  const items = [
    ...help.visibleArguments(command).map((argument) => [help.argumentTerm(argument), prose(help.argumentDescription(argument))]),
    ...options.map((option) => [help.optionTerm(option), prose(help.optionDescription(option).replace(" (default: [])", ""))]),
  ];
  const examples = examplesOf(command);
  return [
    `\`${fullName(command)}\` ${prose(command.usage())}`,
    `${prose(command.description().replace(/\.$/, ""))}.`,
    terms(items),
    examples.length > 0 && fenced(examples.map((example) => `$ ${example}`).join("\n")),
  ];
}

/** A command and its subcommands as Markdown. */
function pageOf(command) {
  const below = command.commands.filter((each) => each.name() !== "help");
  const isTop = command.parent === null;
  const [usage, description, items, examples] = blocksOf(command);
  const subcommands = isTop
    ? [terms(below.map((each) => [each.name(), prose(each.description())]))]
    : below.map((each) => `### ${fullName(each)}\n\n${paragraphs(blocksOf(each))}`);
  const others = isTop ? below.map(pageName) : [pageName(command.parent)];
  return paragraphs([
    `# ${pageName(command)}(1) -- ${command.description().replace(/\.$/, "")}`,
    `## SYNOPSIS\n\n${usage}`,
    `## DESCRIPTION\n\n${description}`,
    items && `## OPTIONS\n\n${items}`,
    subcommands.length > 0 && `## COMMANDS\n\n${paragraphs(subcommands)}`,
    examples && `## EXAMPLES\n\n${examples}`,
    `## EXIT STATUS\n\n${terms(Object.entries(exits))}`,
    `## SEE ALSO\n\n${others.map((name) => `\`${name}\`(1)`).join(", ")}`,
  ]);
}

const paragraphs = (blocks) => blocks.filter(Boolean).join("\n\n");

/** Markdown as roff, without the date, so that every build gives the same bytes. */
function roff(markdown) {
  const marked = new Marked();
  marked.use({ ...markedMan, date: 0, manVersion: `bh-bridge ${packageManifest().version}`, manual: "bh-bridge" });
  return marked
    .parse(markdown)
    .replace('"January 1970"', '""')
    .replaceAll(/\.IP \\\(bu 2\n(.*)\n\.br\n/g, ".TP\n$1\n")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "\\(aq");
}

const program = await createProgram();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const command of [program, ...program.commands]) writeFileSync(join(folder, `${pageName(command)}.1`), roff(pageOf(command)));
