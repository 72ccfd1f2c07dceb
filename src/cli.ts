#!/usr/bin/env node
import { CommanderError } from "commander";
import { errorDocument } from "./commands/error-document.js";
import { printableLines } from "./commands/printable.js";
import { createProgram } from "./commands/program.js";
import { Terminal } from "./commands/terminal.js";
import { BhBridgeError, exitCodeOf, exitCodes } from "./errors.js";

/** Whatever was thrown, as an error that can be shown. */
function toBhBridgeError(error: unknown): BhBridgeError {
  if (error instanceof BhBridgeError) return error;
  if (error instanceof CommanderError) return new BhBridgeError("USAGE", error.message.replace(/^error: /, ""), { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new BhBridgeError("INTERNAL", `${message}. This is a mistake in bh-bridge; run again with DEBUG=bh-bridge for its stack`, { cause: error });
}

/** `--help`, `--version`, and a command that was not told what to do: what was asked for has been printed. */
function isAnswer(error: unknown): boolean {
  return error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help");
}

function report(error: BhBridgeError, argv: readonly string[]): void {
  const terminal = new Terminal({ json: argv.includes("--json"), color: !argv.includes("--no-color") });
  terminal.document(errorDocument(error));
  process.stderr.write(`${terminal.messageColor.red(error.code)}: ${printableLines(error.message)}\n`);
  if (process.env["DEBUG"] === "bh-bridge") process.stderr.write(`${error.cause instanceof Error ? error.cause.stack : error.stack}\n`);
}

// `bh-bridge presets | head`: the reader has what it wanted. Anything else that stdout says is a failure like any other.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.ok);
});
// Messages that nobody reads are no reason to end a training.
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  if (isAnswer(error)) process.exitCode = exitCodes.ok;
  else {
    const shown = toBhBridgeError(error);
    report(shown, process.argv);
    process.exitCode = exitCodeOf(shown);
  }
}
