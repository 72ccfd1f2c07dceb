import type { Command } from "commander";
import { exitCodes } from "../../errors.js";
import { wrap } from "../../text/wrap.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import type { DoctorCheck, DoctorDocument } from "./doctor-document.js";

/** `ok` or `FAIL`, and a space. */
const statusWidth = 5;

function printChecks(checks: readonly DoctorCheck[], terminal: Terminal): void {
  const { green, red, bold, dim } = terminal.color;
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, ok, found, expected, fix } of checks) {
    const line = `${ok ? green("ok  ") : red("FAIL")} ${bold(name.padEnd(width))}  ${found ?? "not there"} ${dim(`(wanted: ${expected})`)}`;
    terminal.print(wrap(line, terminal.width, statusWidth + width + 2));
    if (fix) terminal.print(`${" ".repeat(statusWidth)}to mend it:  ${fix}`);
  }
}

async function doctor({ python, ...common }: CommonOptions & { python?: string }): Promise<void> {
  const terminal = new Terminal(common);
  const { checkPackage } = await import("./check-package.js");
  const { checkPython } = await import("./check-python.js");
  const { checkTorch } = await import("./check-torch.js");
  const { checkDisk } = await import("./check-disk.js");
  const { createStatusLine } = await import("../terminal/status-line.js");

  const status = createStatusLine(terminal);
  const checks = checkPackage();
  try {
    status.show("asking the interpreters in reach", true);
    const found = await checkPython(python === undefined ? {} : { python });
    checks.push(...found.checks);
    if (found.report?.packages.torch && found.report.packages.transformers) {
      status.show(`importing torch ${found.report.packages.torch}`, true);
      checks.push(...(await checkTorch(found.report)));
    }
    checks.push(await checkDisk(process.cwd()));
  } finally {
    status.stop();
  }
  const ok = checks.every((check) => check.ok);
  printChecks(checks, terminal);
  const document: DoctorDocument = { schema: "bh-bridge/doctor@1", ok, checks };
  terminal.document(document);
  if (!ok) process.exitCode = exitCodes.environment;
}

/** `bh-bridge doctor`: say what is there, what is missing, and the command that mends it. */
export function doctorCommand(): Command {
  return createCommand("doctor", "Say what is there, what is missing, and the command that mends it", "bh-bridge doctor")
    .option("--python <path>", "look at this interpreter only")
    .action(doctor);
}
