import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atExit } from "../python/at-exit.js";

/**
 * A new folder among the system's temporary ones. It goes with all that is in it when it is disposed of, or when Node exits.
 *
 * @param purpose one word, for its name.
 */
export function temporaryFolder(purpose: string): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), `bh-bridge-${purpose}-`));
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
