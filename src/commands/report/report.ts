import type { Command } from "commander";
import { BhBridgeError } from "../../errors.js";
import { type CommonOptions, createCommand, outOption } from "../terminal/command.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import { Terminal } from "../terminal/terminal.js";
import type { ReportDocument } from "./report-document.js";

interface ReportCommandOptions extends CommonOptions {
  out: string;
  figures?: string;
}

/** `bh-bridge report RUN…`: figures of runs, from their files alone. */
export function reportCommand(): Command {
  return createCommand(
    "report",
    "Draw runs: figures as SVG, PNG and CSV, made from the files of the runs alone",
    "bh-bridge report runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --figures figures",
  )
    .argument("<run...>", "one or more runs: path, name, or unique beginning of a name")
    .option("--figures <dir>", "folder for the figures: each as SVG, as PNG of twice its size, as CSV of its data, and as JSON of its description")
    .addOption(outOption())
    .action(report);
}

async function report(given: string[], options: ReportCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  if (options.figures === undefined) throw new BhBridgeError("USAGE", "say where the figures go: --figures DIR");
  const [{ reportSubject }, { subjectFigures }, { writeFigures }] = await Promise.all([
    import("../../report/report-subject.js"),
    import("../../report/subject-figures.js"),
    import("../../report/write-figures.js"),
  ]);
  const subject = await reportSubject(given, options.out);
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the report" });
  const made = await subjectFigures(subject, { signal: stop.signal });
  const figures = made.flatMap((each) => ("figure" in each ? [each.figure] : []));
  const absent = made.flatMap((each) => ("absent" in each ? [{ name: each.name, run: each.run, reason: each.absent }] : []));
  const written = writeFigures(options.figures, figures);
  const { resolve } = await import("node:path");
  const document: ReportDocument = { schema: "bh-bridge/report@1", of: subject.kind, folder: resolve(options.figures), figures: written, absent };
  terminal.document(document);
  for (const { title, files } of written) terminal.print(`${title}: ${files[0]}`);
  for (const { name, run, reason } of absent) terminal.say(`Not drawn: ${name} of ${run}: ${reason}`);
  terminal.say(`\nWritten to ${document.folder}`);
}
