#!/usr/bin/env node
import type { ErrorDocument } from "./commands/terminal/terminal-documents.js";
import type { BhBridgeError } from "./errors.js";

// Nothing is imported before the `try`, since a low limit on open files makes the first import fail.
try {
  if (process.argv[2] === "complete") {
    const { answerShell } = await import("./commands/shell/complete.js"); // each TAB waits for it, so it loads nothing else
    process.stdout.write(answerShell(process.argv.slice(3)));
  } else {
    const { runProgram } = await import("./commands/run-program.js");
    await runProgram();
  }
} catch (error) {
  const { shown, exitCode, inLines } = await failure(error);
  const document: ErrorDocument = { schema: "bh-bridge/error@1", code: shown.code, message: shown.message, issues: [] };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(document)}\n`);
  if (inLines) {
    const lines = [
      { type: "error", code: shown.code, message: shown.message, issues: [] },
      { type: "end", status: "failed", exitCode },
    ];
    for (const line of lines) process.stderr.write(`${JSON.stringify({ schema: "bh-bridge/progress@1", ...line })}\n`);
  } else process.stderr.write(`${shown.code}: ${shown.message}\n`);
  process.exitCode = exitCode;
}

/** The error to report, also if the program's own files cannot be loaded. */
async function failure(error: unknown): Promise<{ shown: Pick<BhBridgeError, "code" | "message">; exitCode: number; inLines: boolean }> {
  try {
    const { exitCodeOf } = await import("./errors.js");
    const { progressModeOf, shownError } = await import("./commands/terminal/shown-error.js");
    const shown = shownError(error);
    return { shown, exitCode: exitCodeOf(shown), inLines: progressModeOf(process.argv) === "json" };
  } catch {
    const message = `${error instanceof Error ? error.message : String(error)}. bh-bridge requires about 256 open files. Allow more, for example with: ulimit -n 1024`;
    return { shown: { code: "FILE_UNREADABLE", message }, exitCode: 1, inLines: false };
  }
}
