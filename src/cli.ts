#!/usr/bin/env node
import type { ErrorDocument } from "./commands/terminal/error-document.js";
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
  process.stderr.write(`${shown.code}: ${shown.message}\n`);
  process.exitCode = exitCodeOf(shown);
}
