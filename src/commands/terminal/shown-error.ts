import { z } from "zod";
import { BhBridgeError, errorCodes } from "../../errors.js";

/** What the system says in place of an answer, where the user's surroundings are the cause. */
function surroundingsError(error: unknown): BhBridgeError | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === "EMFILE" || code === "ENFILE") {
    const where = code === "EMFILE" ? "in this shell (see: ulimit -n)" : "on this machine";
    return new BhBridgeError("FILE_UNREADABLE", `too many files are open ${where}: bh-bridge needs about 256. Allow more, for example with: ulimit -n 1024`, {
      cause: error,
    });
  }
  if (syscall === "uv_os_homedir")
    return new BhBridgeError("FILE_NOT_FOUND", "this user has no home folder, and HOME is not set. Set it, for example with: export HOME=/tmp", {
      cause: error,
    });
  if (syscall === "uv_cwd")
    return new BhBridgeError("FILE_NOT_FOUND", "the folder that bh-bridge was started in is gone. Change to one that exists, with cd", { cause: error });
  return undefined;
}

/** Whatever was thrown, as an error that can be shown. Imports next to nothing: it has to work where the program itself cannot be loaded. */
export function shownError(error: unknown): BhBridgeError {
  if (error instanceof BhBridgeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return (
    surroundingsError(error) ??
    new BhBridgeError("INTERNAL", `${message}. This is a mistake in bh-bridge; run again with --verbose for its stack`, { cause: error })
  );
}

/** What `--json` prints when a command fails. */
export const errorDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/error@1"),
  code: z.enum(errorCodes),
  message: z.string(),
  issues: z.array(z.strictObject({ path: z.string(), message: z.string(), source: z.string().optional() })),
});
export type ErrorDocument = z.output<typeof errorDocumentSchema>;

/** The document of an error. */
export function errorDocument({ code, message, issues = [] }: BhBridgeError): ErrorDocument {
  return { schema: "bh-bridge/error@1", code, message, issues };
}

/** The failure of a run that can go on, with the command that does it: the two are told in this order. */
export class FailedRun extends Error {
  /** What can be done now, in one line. */
  readonly next: string;

  constructor(failure: unknown, next: string) {
    super("a run failed", { cause: failure });
    this.next = next;
  }
}
