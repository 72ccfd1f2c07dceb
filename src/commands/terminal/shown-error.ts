import { BhBridgeError } from "../../errors.js";

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
