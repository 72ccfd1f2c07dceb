import type { Command } from "commander";
import type { Audit } from "../compare/audit/audit.js";
import { exitCodes } from "../errors.js";
import { printable } from "../text/escaping.js";
import { count, formatBytes, groupDigits, type TextColors } from "../text/format.js";
import { wrap } from "../text/wrap.js";
import type { AuditDocument } from "./documents.js";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import { progressOnDemand } from "./terminal/progress.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { Terminal } from "./terminal/terminal.js";

type AuditCommandOptions = CommonOptions & { revisions?: string; sample?: boolean };

export function auditCommand(): Command {
  return createCommand(
    "audit",
    "Check whether a series of checkpoints is what it claims to be; exit code 1 if not",
    "bh-bridge audit out",
    "bh-bridge audit out/checkpoint-20 --sample",
  )
    .argument("<checkpoints...>", "checkpoints, folders that hold them (one per seed), or the address of a model on the Hugging Face Hub")
    .option("--revisions <patterns>", "branches and tags of an address, such as 'step*' (default: step*)")
    .option("--sample", "read only headers and sampled rows, as over HTTP (default: all weights)")
    .action(auditInTerminal);
}

async function auditInTerminal(paths: string[], { revisions, sample, ...options }: AuditCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { audit } = await import("../compare/audit/audit.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the audit" });
  using progress = progressOnDemand(terminal, "Auditing", "checkpoints");
  const result = await audit(paths, { revisions, sample, signal: stop.signal, onProgress: progress.onProgress });
  terminal.document({ schema: "bh-bridge/audit@1", ...result } satisfies AuditDocument);
  terminal.print(formatAudit(result, terminal.color, terminal.width));
  if (result.findings.length > 0) process.exitCode = exitCodes.failed;
}

/** Maximum number of names below a finding; `--json` lists all of them. */
const maxNames = 8;

/** Format an audit: what was read, each finding with its checkpoints, notes. */
export function formatAudit({ series, findings, notes, bytes, bytesRead }: Audit, color: TextColors, width?: number): string {
  const lines = [
    ...series.map(({ name, checkpoints }) => {
      const steps = checkpoints.flatMap(({ step }) => (step === null ? [] : [step]));
      const range = steps.length === 0 ? "" : `, steps ${groupDigits(steps[0] ?? 0)} to ${groupDigits(steps.at(-1) ?? 0)}`;
      return `${color.bold(printable(name))}: ${count(checkpoints.length, "checkpoint")}${range}`;
    }),
    `Read ${formatBytes(bytesRead)} of ${formatBytes(bytes)}`,
    ...findings.flatMap(({ kind, checkpoints, evidence }) => ["", `${color.red(kind)}: ${printable(evidence, 1000)}`, ...names(checkpoints)]),
    "",
    findings.length === 0 ? color.green("No findings") : color.red(count(findings.length, "finding")),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `· ${printable(note, 1000)}`)] : []),
  ];
  return wrap(lines.join("\n"), width, 2);
}

function names(checkpoints: readonly string[]): string[] {
  const shown = checkpoints.slice(0, maxNames).map((name) => `  ${printable(name)}`);
  return checkpoints.length > maxNames ? [...shown, `  … and ${groupDigits(checkpoints.length - maxNames)} more`] : shown;
}
