#!/usr/bin/env node
import type { ErrorDocument } from "./commands/terminal/error-document.js";
import { progressModeOf } from "./commands/terminal/progress-mode.js";
import { shownError } from "./commands/terminal/shown-error.js";
import { exitCodeOf } from "./errors.js";

try {
  const { runProgram } = await import("./commands/run-program.js");
  await runProgram();
} catch (error) {
  // Not even the program's own files could be loaded; with few open files allowed, for example.
  const shown = shownError(error);
  const document: ErrorDocument = { schema: "bh-bridge/error@1", code: shown.code, message: shown.message, issues: [] };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(document)}\n`);
  const exitCode = exitCodeOf(shown);
  if (progressModeOf(process.argv) === "json") {
    const lines = [
      { type: "error", code: shown.code, message: shown.message, issues: [] },
      { type: "end", status: "failed", exitCode },
    ];
    for (const line of lines) process.stderr.write(`${JSON.stringify({ schema: "bh-bridge/progress@1", ...line })}\n`);
  } else process.stderr.write(`${shown.code}: ${shown.message}\n`);
  process.exitCode = exitCode;
}
