import { basename, dirname, relative, resolve } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { Terminal } from "./terminal/terminal.js";

/** The document of `report --json`. */
export const reportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/report@1"),
  of: z.enum(["runs", "experiment", "sweep"]),
  /** Absolute path of the HTML or Markdown file; null if only figures were written. */
  report: z.string().nullable(),
  /** Absolute path of the folder with the figures; null if there is none. */
  folder: z.string().nullable(),
  /** Figures of the report; `files` are names in `folder`, empty without a folder. */
  figures: z.array(z.strictObject({ name: z.string(), title: z.string(), files: z.array(z.string()).readonly() })),
  /** Figures that could not be drawn for lack of data. */
  absent: z.array(z.strictObject({ name: z.string(), run: z.string(), reason: z.string() })),
});
export type ReportDocument = z.output<typeof reportDocumentSchema>;

type ReportCommandOptions = CommonOptions & { runs: string; output?: string; figures?: string; md?: boolean; force?: boolean; open?: boolean };

export function reportCommand(): Command {
  return createCommand(
    "report",
    "Write a self-contained HTML report and figures of runs, an experiment or a sweep",
    "bh-bridge report runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c -o report.html",
    "bh-bridge report runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c --figures figures",
  )
    .argument("<run...>", "runs (path, name, or unique prefix of a name), or one experiment or sweep; each may be a zip")
    .option("-o, --output <file>", "report file (default: the name of the run, experiment or sweep)")
    .option("--figures <dir>", "folder for figures as SVG, PNG, CSV and JSON; without -o and --md no report")
    .option("--md", "Markdown with figures instead of HTML")
    .option("--force", "replacement of files that are no reports or were changed")
    .option("--open", "also open the report or the folder of figures in a browser")
    .option("--runs <dir>", "folder of runs that are given by name", "runs")
    .action(report);
}

async function report(given: string[], options: ReportCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const [{ reportSubject, makeReport }, { withoutArchives }] = await Promise.all([import("../report/report-page.js"), import("../sweep/run-archive.js")]);
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the report" });
  using opened = await withoutArchives(given, stop.signal);
  const subject = await reportSubject(opened.paths, options.runs);
  const path = reportPath(subject.kind === "runs" ? subject.runs : [subject.directory], options);
  const folder = options.figures ?? (options.md && path !== undefined ? `${path.replace(/\.md$/, "")}-figures` : undefined);
  if (!options.force) await requireFreePaths(path, folder, options);
  const { page, figures } = await makeReport(subject, { signal: stop.signal });
  const drawn = figures.flatMap((each) => ("figure" in each ? [each.figure] : []));
  const absent = figures.flatMap((each) => ("absent" in each ? [{ name: each.name, run: each.run, reason: each.absent }] : []));
  const written =
    folder === undefined
      ? drawn.map(({ name, title }) => ({ name, title, files: [] }))
      : (await import("../report/write-figures.js")).writeFigures(folder, drawn, options);
  if (path !== undefined) {
    const { markdownOfPage, writeHtml, writeMarkdown } = await import("../report/write-page.js");
    if (options.md && folder !== undefined) {
      writeMarkdown(path, markdownOfPage(page, written, relative(dirname(resolve(path)), resolve(folder))));
    } else writeHtml(path, page);
  }
  const document: ReportDocument = {
    schema: "bh-bridge/report@1",
    of: subject.kind,
    report: path === undefined ? null : resolve(path),
    folder: folder === undefined ? null : resolve(folder),
    figures: written,
    absent,
  };
  terminal.document(document);
  for (const { name, run, reason } of absent) terminal.say(`Not drawn: ${name} of ${run}: ${reason}`);
  if (document.report !== null) terminal.print(document.report);
  if (document.folder !== null) terminal.print(`${document.folder}: ${written.length} figures`);
  if (options.open) await openWritten(document.report ?? document.folder, terminal);
}

async function openWritten(path: string | null, terminal: Terminal): Promise<void> {
  if (path === null) return;
  const { openFile } = await import("./serve/open-in-browser.js");
  openFile(path, () => terminal.say(`No browser could be opened. Open the file yourself:  ${path}`));
}

/** Refuse paths that must not be replaced before computing the report, which yields the names of the figures. */
async function requireFreePaths(path: string | undefined, folder: string | undefined, { md }: ReportCommandOptions): Promise<void> {
  const [{ requireOwnPage }, { requireReplaceable }] = await Promise.all([import("../report/write-page.js"), import("../report/write-figures.js")]);
  if (path !== undefined) requireOwnPage(path, md ? "md" : "html");
  if (folder !== undefined) requireReplaceable(folder, []);
}

/** Path of the report; undefined if only figures are wanted. */
function reportPath(directories: readonly string[], { output, figures, md }: ReportCommandOptions): string | undefined {
  if (output !== undefined) return output;
  if (figures !== undefined && !md) return undefined;
  const [only, ...others] = directories;
  return `${only !== undefined && others.length === 0 ? basename(only) : "report"}.${md ? "md" : "html"}`;
}
