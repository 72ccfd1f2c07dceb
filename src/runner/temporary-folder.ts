import { rmSync } from "node:fs";
import { atExit } from "../python/at-exit.js";
import { makeTemporaryFolder } from "../python/session-folder.js";

/**
 * A new folder among the system's temporary ones. It goes with all that is in it when it is disposed of, or when Node exits.
 *
 * @param purpose one word, for its name.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` when no temporary folder can be made.
 */
export function temporaryFolder(purpose: string): { readonly path: string } & Disposable {
  const path = makeTemporaryFolder(`bh-bridge-${purpose}-`);
  const remove = () => rmSync(path, { recursive: true, force: true });
  const forgetExit = atExit(remove);
  return {
    path,
    [Symbol.dispose]() {
      forgetExit();
      remove();
    },
  };
}
