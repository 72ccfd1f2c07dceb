import { type Command, Option } from "commander";
import { BhBridgeError } from "../../errors.js";
import type { RunNotes } from "../../runs/run-manifest.js";
import { type CommonOptions, commonOptions, createCommand, outOption } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import type { ListFormat, RunNotesDocument } from "./format-runs.js";

interface RunsOptions extends CommonOptions {
  out: string;
}

interface ListCommandOptions extends RunsOptions {
  status?: string;
  where: string[];
  sort: string;
  columns?: string;
  format: ListFormat;
  baseline?: string;
}

/** `bh-bridge runs`: the runs in a folder, and what can be done with one. Nothing is remembered anywhere: the folder is read. */
export function runsCommand(): Command {
  const command = withOut(
    createCommand(
      "runs",
      "List, filter, show, verify, tag and remove runs",
      "bh-bridge runs --where 'status:completed seed>=42' --sort -loss",
      "bh-bridge runs show rmsnorm",
    ),
  )
    .addOption(
      new Option("--where <conditions>", "only runs that meet these, for example 'status:interrupted training.learning_rate>1e-4 name~snow'; may be repeated")
        .default([])
        .argParser((text: string, earlier: string[]) => [...earlier, text]),
    )
    .option("--status <status>", "only runs with this status, as --where status:completed")
    .option("--sort <field>", "field to sort by; -field is largest first", "created")
    .option("--columns <fields>", "fields to show, separated by commas, for example run,status,loss,training.seed")
    .addOption(new Option("--format <name>", "how the list is written").choices(["table", "csv", "md"]).default("table"))
    .option("--baseline <run>", "run that the others are compared with; by default the newest one tagged `baseline`. Runs tagged `pin` come first")
    .action(async ({ out, where, status, sort, columns, format, baseline, ...common }: ListCommandOptions) => {
      const { listRuns } = await import("./manage-runs.js");
      const conditions = status === undefined ? where : [...where, `status:${status}`];
      await listRuns({ out, where: conditions, sort, columns, format, baseline }, new Terminal(common));
    });
  for (const subcommand of [showCommand(), verifyCommand(), removeCommand(), noteCommand(), tagCommand()]) command.addCommand(subcommand);
  return command;
}

const runArgument = "path, name, or unique beginning of a name";

function showCommand(): Command {
  return withOut(createCommand("show", "Show one run", "bh-bridge runs show rmsnorm"))
    .argument("<run>", runArgument)
    .action(async (run: string, _: unknown, command: Command) => {
      const { out, terminal } = settings(command);
      const { showRun } = await import("./show-run.js");
      await showRun(run, out, terminal);
    });
}

function verifyCommand(): Command {
  return withOut(
    createCommand(
      "verify",
      "Check every checksum of a run, and name the files that have none; exit code 1 when something is wrong",
      "bh-bridge runs verify rmsnorm",
    ),
  )
    .argument("<run>", runArgument)
    .action(async (run: string, _: unknown, command: Command) => {
      const { out, terminal } = settings(command);
      const [{ showVerification }, { directoryOfRun }] = await Promise.all([import("./manage-runs.js"), import("../../runs/scan-runs.js")]);
      await showVerification(await directoryOfRun(run, out), terminal);
    });
}

function removeCommand(): Command {
  return withOut(createCommand("rm", "Remove runs from the disk, for good; never one that is being written", "bh-bridge runs rm quick-2 quick-3"))
    .argument("<runs...>", runArgument)
    .option("-y, --yes", "remove without asking; needed where nobody can be asked")
    .action(async (runs: string[], { yes }: { yes?: boolean }, command: Command) => {
      const { out, terminal } = settings(command);
      const { removeRuns } = await import("./manage-runs.js");
      await removeRuns(runs, out, yes === true, terminal);
    });
}

function noteCommand(): Command {
  return withOut(createCommand("note", "Write a note into a run; an empty text takes it out", "bh-bridge runs note rmsnorm 'loss spikes at 400'"))
    .argument("<run>", runArgument)
    .argument("<text>", "the note")
    .action(async (run: string, text: string, _: unknown, command: Command) => {
      await changeNotes(run, command, (notes) => ({ ...notes, note: text.trim() === "" ? null : text }));
    });
}

function tagCommand(): Command {
  return withOut(
    createCommand("tag", "Give a run tags, or take them away with -r", "bh-bridge runs tag rmsnorm baseline", "bh-bridge runs tag -r rmsnorm baseline"),
  )
    .argument("<run>", runArgument)
    .argument("<tags...>", "words without spaces")
    .option("-r, --remove", "take these tags away")
    .action(async (run: string, tags: string[], { remove }: { remove?: boolean }, command: Command) => {
      const odd = tags.find((tag) => !/^\S+$/.test(tag));
      if (odd !== undefined) throw new BhBridgeError("USAGE", `"${odd}" is not a tag: a tag is one word`);
      await changeNotes(run, command, (notes) => ({ ...notes, tags: remove ? notes.tags.filter((tag) => !tags.includes(tag)) : [...notes.tags, ...tags] }));
    });
}

async function changeNotes(run: string, command: Command, change: (notes: RunNotes) => RunNotes): Promise<void> {
  const { out, terminal } = settings(command);
  const [{ directoryOfRun }, { readRunNotes, writeRunNotes, readRunManifest }] = await Promise.all([
    import("../../runs/scan-runs.js"),
    import("../../runs/run-manifest.js"),
  ]);
  const directory = await directoryOfRun(run, out);
  readRunManifest(directory); // nothing is written into a directory that is not a run
  writeRunNotes(directory, change(readRunNotes(directory)));
  const notes = readRunNotes(directory);
  const document: RunNotesDocument = { schema: "bh-bridge/run-notes@1", run: directory, ...notes };
  terminal.document(document);
  terminal.print([directory, notes.tags.length > 0 && `tags ${notes.tags.join(" ")}`, notes.note].filter(Boolean).join("\n"));
}

function withOut(command: Command): Command {
  return command.addOption(outOption());
}

/** The options of a subcommand. Given before its name, `--json` and `--out` belong to `runs`, and mean the same. */
function settings(command: Command): { out: string; terminal: Terminal } {
  const own = command.opts<RunsOptions>();
  const above = command.parent?.opts<RunsOptions>() ?? own;
  const source = (name: string) => (command.getOptionValueSource(name) === "default" ? above : own);
  return { out: source("out").out, terminal: new Terminal(commonOptions(command)) };
}
