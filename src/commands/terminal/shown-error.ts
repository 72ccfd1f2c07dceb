import { BhBridgeError } from "../../errors.js";
import type { ErrorDocument } from "./terminal-documents.js";

/** An error of the operating system that is caused by the user's environment. */
function surroundingsError(error: unknown): BhBridgeError | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === "EMFILE" || code === "ENFILE") {
    const where = code === "EMFILE" ? "in this shell (see: ulimit -n)" : "on this machine";
    const message = `too many files are open ${where}: bh-bridge needs about 256. Allow more, for example with: ulimit -n 1024`;
    return new BhBridgeError("FILE_UNREADABLE", message, { cause: error });
  }
  if (syscall === "uv_os_homedir") {
    const message = "this user has no home folder, and HOME is not set. Set it, for example with: export HOME=/tmp";
    return new BhBridgeError("FILE_NOT_FOUND", message, { cause: error });
  }
  if (syscall === "uv_cwd") return new BhBridgeError("FILE_NOT_FOUND", "the current folder has been deleted. Change to another one with cd", { cause: error });
  return undefined;
}

/** Anything thrown, as an error that can be shown. This module imports no package, so that it loads when the program cannot be loaded. */
export function shownError(error: unknown): BhBridgeError {
  if (error instanceof BhBridgeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const text = `${message}. This is a bug in bh-bridge; run again with --verbose for its stack`;
  return surroundingsError(error) ?? new BhBridgeError("INTERNAL", text, { cause: error });
}

/** An error as the document of `--json`. */
export function errorDocument({ code, message, issues = [] }: BhBridgeError): ErrorDocument {
  return { schema: "bh-bridge/error@1", code, message, issues };
}

/** The failure of a run that can be resumed, and a line with the command for it. */
export class FailedRun extends Error {
  readonly next: string;

  constructor(failure: unknown, next: string) {
    super("a run failed", { cause: failure });
    this.next = next;
  }
}

/** Progress on stderr: drawn on a terminal and plain lines elsewhere, plain lines, JSON lines, or none. */
export const progressModes = ["auto", "plain", "json", "none"] as const;
export type ProgressMode = (typeof progressModes)[number];

/** The value of `--progress` before or without parsing the command line. */
export function progressModeOf(argv: readonly string[]): ProgressMode {
  const given = argv.flatMap((word, at) => (word === "--progress" ? [argv[at + 1]] : word.startsWith("--progress=") ? [word.slice("--progress=".length)] : []));
  return progressModes.find((mode) => mode === given.at(-1)) ?? "auto";
}
