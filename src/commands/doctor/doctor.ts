import { type Command, Option } from "commander";
import { exitCodes } from "../../errors.js";
import { type ExecutorName, executorKinds, executorNames } from "../../sweep/executors/executors.js";
import { count } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { addExecutorOptions, choiceOf } from "../sweep/trial-options.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { runnable } from "../terminal/invocation.js";
import { Terminal } from "../terminal/terminal.js";
import type { DoctorCheck, DoctorDocument, DoctorMeasure } from "./checks.js";

const statusWidth = 5; // `ok` or `FAIL`, and a space
const barWidth = 24;

function printChecks(checks: readonly DoctorCheck[], terminal: Terminal): void {
  const { green, red, bold, dim } = terminal.color;
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, ok, found, expected, fix } of checks) {
    const line = `${ok ? green("ok  ") : red("FAIL")} ${bold(name.padEnd(width))}  ${found ?? "missing"} ${dim(`(expected: ${expected})`)}`;
    terminal.print(wrap(line, terminal.width, statusWidth + width + 2));
    if (fix) terminal.print(`${" ".repeat(statusWidth)}to fix it:  ${runnable(fix)}`);
  }
}

type DoctorOptions = CommonOptions & { python?: string; measure?: boolean; executor?: ExecutorName };

function printMeasure({ threads: rows, fastest }: DoctorMeasure, terminal: Terminal): void {
  const { bold, dim } = terminal.color;
  const most = Math.max(...rows.map(({ stepsPerSecond }) => stepsPerSecond));
  terminal.print(`\n${bold("Steps per second")}  ${dim("the default configuration, recording on")}`);
  for (const { threads, stepsPerSecond } of rows) {
    const bar = "█".repeat(Math.max(1, Math.round((barWidth * stepsPerSecond) / most)));
    terminal.print(`  ${count(threads, "thread").padEnd(10)}  ${bar.padEnd(barWidth)}  ${stepsPerSecond.toFixed(1)}`);
  }
  const advice = `To use ${count(fastest, "thread")}:  threads: ${fastest} in a configuration, or --threads ${fastest}. Other programs on the cores change the result, and another number of threads gives other bits.`;
  terminal.print(wrap(advice, terminal.width));
}

async function measureThreads(options: { python?: string }, terminal: Terminal): Promise<DoctorMeasure> {
  const { createStatusLine } = await import("../terminal/progress.js");
  const { measureThreads: measure } = await import("../../runner/measure-threads.js");
  const { resolvePython } = await import("../../python/require-packages.js");
  const { stopOnSignal } = await import("../terminal/stop-on-signal.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the measurement" });
  using status = createStatusLine(terminal);
  const onThreads = (threads: number) => status.show(`training for some seconds with ${count(threads, "thread")}`, true);
  const threads = await measure(await resolvePython(options, stop.signal), { signal: stop.signal, onThreads });
  return { threads, fastest: threads.reduce((best, row) => (row.stepsPerSecond > best.stepsPerSecond ? row : best)).threads };
}

async function doctor(options: DoctorOptions): Promise<void> {
  const { python, measure, executor, ...common } = options;
  const terminal = new Terminal(common);
  const { checkDisk, checkPackage, checkPython, checkTorch } = await import("./checks.js");
  const { createStatusLine } = await import("../terminal/progress.js");

  const status = createStatusLine(terminal);
  const checks = checkPackage();
  let portable: DoctorDocument["portable"];
  try {
    status.show("checking the Python interpreters", true);
    const found = await checkPython(python === undefined ? {} : { python });
    checks.push(...found.checks);
    if (found.report?.packages.torch && found.report.packages.transformers) {
      status.show(`importing torch ${found.report.packages.torch}`, true);
      const imported = await checkTorch(found.report);
      checks.push(...imported.checks);
      ({ portable } = imported);
    }
    checks.push(await checkDisk(process.cwd()));
    const { diagnosis } = new Map(executorKinds).get(executor ?? "local") ?? {};
    if (diagnosis) {
      status.show(`looking at ${diagnosis.looking}`, true);
      const diagnosed = { python: found.report?.path ?? "python3", folder: process.cwd() };
      checks.push(...(await diagnosis.diagnose(diagnosed, await choiceOf(options, undefined))));
    }
  } finally {
    status.stop();
  }
  const ok = checks.every((check) => check.ok);
  printChecks(checks, terminal);
  const measured = measure && ok ? await measureThreads(python === undefined ? {} : { python }, terminal) : undefined;
  if (measured) printMeasure(measured, terminal);
  const document: DoctorDocument = { schema: "bh-bridge/doctor@1", ok, checks, ...(portable && { portable }), ...(measured && { measure: measured }) };
  terminal.document(document);
  if (!ok) process.exitCode = exitCodes.environment;
}

export function doctorCommand(): Command {
  const command = createCommand("doctor", "Check the installation and print the commands that fix it", "bh-bridge doctor --measure")
    .option("--measure", "training speed with 1, 2, 4, … CPU threads (takes some seconds each)")
    .option("--python <path>", "only Python interpreter to check (default: all that are found)")
    .addOption(new Option("--executor <name>", "executor of sweep trials to check as well").choices(executorNames));
  return addExecutorOptions(command, true).action(doctor);
}
