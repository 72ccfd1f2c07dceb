import { type Command, Option } from "commander";
import { BhBridgeError } from "../../errors.js";
import type { RunNotes } from "../../runs/run-manifest.js";
import { type CommonOptions, commonOptions, createCommand, outOption, repeated } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import type { ListFormat, RunNotesDocument } from "./format-runs.js";

type RunsOptions = CommonOptions & { out: string };

type ListCommandOptions = RunsOptions & { status?: string; where: string[]; sort: string; columns?: string; format: ListFormat; baseline?: string };

/** `bh-bridge runs`. There is no registry: every command reads the folder. */
export function runsCommand(): Command {
  const examples = ["bh-bridge runs --where 'status:completed seed>=42' --sort -loss", "bh-bridge runs show rmsnorm"] as const;
  const command = createCommand("runs", "List, filter, show, verify, sign, tag and remove runs", ...examples)
    .addOption(outOption())
    .option("--where <conditions>", "conditions such as 'status:interrupted training.learning_rate>1e-4 name~snow'; may be repeated", repeated, [])
    .option("--status <status>", "status of the runs, as --where status:completed")
    .option("--sort <field>", "field to sort by; -field sorts in descending order", "created")
    .option("--columns <fields>", "fields to show, such as run,status,loss,training.seed")
    .addOption(new Option("--format <name>", "format of the list").choices(["table", "csv", "md"]).default("table"))
    .option("--baseline <run>", "run to compare the others with (default: the newest one tagged `baseline`)")
    .action(async ({ out, where, status, sort, columns, format, baseline, ...common }: ListCommandOptions) => {
      const { listRuns } = await import("./manage-runs.js");
      const conditions = status === undefined ? where : [...where, `status:${status}`];
      await listRuns({ out, where: conditions, sort, columns, format, baseline }, new Terminal(common));
    });
  for (const subcommand of [showCommand(), verifyCommand(), signCommand(), removeCommand(), noteCommand(), tagCommand()]) command.addCommand(subcommand);
  return command;
}

const runArgument = "path, name, or unique prefix of a name";

/** A subcommand for one run. */
function runCommand(name: string, summary: string, ...examples: [string, ...string[]]): Command {
  return createCommand(name, summary, ...examples)
    .addOption(outOption())
    .argument("<run>", runArgument);
}

function showCommand(): Command {
  return runCommand("show", "Show one run", "bh-bridge runs show rmsnorm").action(async (run: string, _: unknown, command: Command) => {
    const { out, terminal } = settings(command);
    const { showRun } = await import("./manage-runs.js");
    await showRun(run, out, terminal);
  });
}

function verifyCommand(): Command {
  return createCommand(
    "verify",
    "Check every checksum of a run and list files without one; exit code 1 on a problem",
    "bh-bridge runs verify rmsnorm",
    "bh-bridge runs verify rmsnorm --signers allowed_signers",
  )
    .addOption(outOption())
    .argument("<run>", `${runArgument}, or a zip archive of one run`)
    .option("--signers <file>", "allowed signers in OpenSSH's format (principal, key); the run must be signed by one of them")
    .action(async (run: string, { signers }: { signers?: string }, command: Command) => {
      const { out, terminal } = settings(command);
      const { showVerification } = await import("./sign-run.js");
      await showVerification(run, { out, signers }, terminal);
    });
}

function signCommand(): Command {
  return runCommand("sign", "Sign the checksums of an ended run with an OpenSSH key", "bh-bridge runs sign rmsnorm --key ~/.ssh/id_ed25519")
    .requiredOption("--key <file>", "private key, or the public key of one that ssh-agent has")
    .action(async (run: string, { key }: { key: string }, command: Command) => {
      const { out, terminal } = settings(command);
      const { signRun } = await import("./sign-run.js");
      await signRun(run, { out, key }, terminal);
    });
}

function removeCommand(): Command {
  return createCommand("rm", "Remove runs permanently; a running one is refused", "bh-bridge runs rm quick-2 quick-3")
    .addOption(outOption())
    .argument("<runs...>", runArgument)
    .option("-y, --yes", "removal without a question; required without a terminal")
    .action(async (runs: string[], { yes }: { yes?: boolean }, command: Command) => {
      const { out, terminal } = settings(command);
      const { removeRuns } = await import("./manage-runs.js");
      await removeRuns(runs, out, yes === true, terminal);
    });
}

function noteCommand(): Command {
  return runCommand("note", "Write a note into a run; an empty text removes it", "bh-bridge runs note rmsnorm 'loss spikes at 400'")
    .argument("<text>", "text of the note")
    .action(async (run: string, text: string, _: unknown, command: Command) => {
      await changeNotes(run, command, (notes) => ({ ...notes, note: text.trim() === "" ? null : text }));
    });
}

function tagCommand(): Command {
  return runCommand("tag", "Add tags to a run, or remove them with -r", "bh-bridge runs tag rmsnorm baseline", "bh-bridge runs tag -r rmsnorm baseline")
    .argument("<tags...>", "words without spaces")
    .option("-r, --remove", "removal of the tags")
    .action(async (run: string, tags: string[], { remove }: { remove?: boolean }, command: Command) => {
      const odd = tags.find((tag) => !/^\S+$/.test(tag));
      if (odd !== undefined) throw new BhBridgeError("USAGE", `"${odd}" is not a tag: use one word`);
      await changeNotes(run, command, (notes) => ({ ...notes, tags: remove ? notes.tags.filter((tag) => !tags.includes(tag)) : [...notes.tags, ...tags] }));
    });
}

async function changeNotes(run: string, command: Command, change: (notes: RunNotes) => RunNotes): Promise<void> {
  const { out, terminal } = settings(command);
  const { directoryOfRun } = await import("../../runs/scan-runs.js");
  const { readRunNotes, writeRunNotes, readRunManifest } = await import("../../runs/run-manifest.js");
  const directory = await directoryOfRun(run, out);
  readRunManifest(directory); // refuses a directory that is not a run
  writeRunNotes(directory, change(readRunNotes(directory)));
  const notes = readRunNotes(directory);
  terminal.document({ schema: "bh-bridge/run-notes@1", run: directory, ...notes } satisfies RunNotesDocument);
  terminal.print([directory, notes.tags.length > 0 && `tags ${notes.tags.join(" ")}`, notes.note].filter(Boolean).join("\n"));
}

/** The options of a subcommand, including `--json` and `--out` before its name, which commander assigns to `runs`. */
function settings(command: Command): { out: string; terminal: Terminal } {
  const own = command.opts<RunsOptions>();
  const above = command.parent?.opts<RunsOptions>() ?? own;
  const { out } = command.getOptionValueSource("out") === "default" ? above : own;
  return { out, terminal: new Terminal(commonOptions(command)) };
}
