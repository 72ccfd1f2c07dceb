import { type Command, InvalidArgumentError } from "commander";
import { type RecordableTensor, type RecordRows, recordableTensorSchema, recordableTensors } from "../config/record-schema.js";
import { shellQuote } from "../text/escaping.js";
import { count } from "../text/format.js";
import type { RerecordDocument } from "./documents.js";
import { type CommonOptions, createCommand, outOption } from "./terminal/command.js";
import { Terminal } from "./terminal/terminal.js";

interface RerecordCommandOptions extends CommonOptions {
  out: string;
  tensors: RecordableTensor[];
  steps?: [from: number, to: number];
  rows?: string;
  corpus?: string;
  python?: string;
}

export function rerecordCommand(): Command {
  return createCommand(
    "rerecord",
    "Record further tensors of a run by replaying it with every state verified",
    "bh-bridge rerecord runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --tensors wte.grad,wte.exp_avg_sq",
    "bh-bridge rerecord runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --tensors wte.exp_avg --steps 1..2",
  )
    .argument("<run>", "path, name, or unique prefix of a name")
    .requiredOption("--tensors <names>", `tensors to record: ${recordableTensors.slice(1).join(", ")}, or any parameter; separated by commas`, parseTensors)
    .option("--steps <from..to>", "first and last step (default: all recorded steps)", parseSteps)
    .option("--rows <rows>", "rows to record: all, dead, live, a list as 1,5,9-20, @FILE with such a list, or a pattern as /[A-Z]/ (default: as the run)")
    .option("--corpus <file>", "current path of the training text")
    .option("--python <path>", "Python interpreter")
    .addOption(outOption())
    .action(rerecordInTerminal);
}

function parseTensors(list: string): RecordableTensor[] {
  return list.split(",").map((text) => {
    const { success, data } = recordableTensorSchema.safeParse(text.trim());
    if (success) return data;
    throw new InvalidArgumentError(`"${text.trim()}" is no name of a tensor: there are ${recordableTensors.join(", ")}, and all parameters.`);
  });
}

function parseSteps(text: string): [number, number] {
  const groups = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text);
  if (!groups) throw new InvalidArgumentError("Steps are written as 100..200.");
  return [Number(groups[1]), Number(groups[2])];
}

async function parseRows(rows: string, directory: string): Promise<RecordRows> {
  if (rows === "live" || rows.startsWith("/")) return rows;
  const [{ chooseRows }, { readRunConfig }] = await Promise.all([import("./terminal/rows-option.js"), import("../runs/run-config.js")]);
  return (await chooseRows({ rows }, directory, readRunConfig(directory).model.vocab_size)) ?? "all";
}

async function rerecordInTerminal(given: string, { out, tensors, steps, rows, corpus, python, ...options }: RerecordCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { planRerecording, rerecordRun } = await import("../compare/rerecord.js");
  const { directoryOfRun } = await import("../runs/scan-runs.js");
  const { trainAgainInTerminal } = await import("./reproduce/train-again-in-terminal.js");
  const directory = await directoryOfRun(given, out);
  const plan = await planRerecording(directory, { tensors, steps, rows: rows === undefined ? undefined : await parseRows(rows, directory), corpus });
  const done = await trainAgainInTerminal(plan, python, terminal, (found, { signal, listen }) =>
    rerecordRun(plan, found, { signal }, listen(plan.run, plan.until)),
  );
  const document: RerecordDocument = { schema: "bh-bridge/rerecord@1", ...done };
  terminal.document(document);
  terminal.print(
    `Recorded ${done.tensors.join(", ")} of the steps ${done.from} to ${done.to}; ${count(done.verified, "state")} verified in every bit\n${done.files.join("\n")}`,
  );
  const [file] = done.files;
  terminal.say(`Look at it:  bh-bridge analyze ${shellQuote(`${given}::${file?.replace(/^history\.|\.safetensors$/g, "")}`)}`);
}
