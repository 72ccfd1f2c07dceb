import { relative } from "node:path";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { BhBridgeError } from "../../errors.js";
import { lockHolders } from "../../python/lock-holders.js";
import { type FoundRun, findRun, noLockHolders, scanRuns, unfinishedRuns } from "../../runs/scan-runs.js";
import { shellQuote } from "../../text/shell-quote.js";
import type { Terminal } from "../terminal/terminal.js";

/**
 * The newest unfinished run of the same configuration, when somebody at a terminal wants to go on with it; a script is told of it, and starts anew.
 *
 * @param startFrom as in `TrainOptions`: runs that began elsewhere are others.
 * @throws {BhBridgeError} `ABORTED` when the question is cancelled; `FILE_UNREADABLE`.
 */
export async function offerToResume({ hash }: ResolvedConfig, out: string, startFrom: string | undefined, terminal: Terminal): Promise<string | undefined> {
  const isTheSame = ({ manifest }: FoundRun) => manifest?.config_hash === hash && manifest.start_from === (startFrom ?? null);
  const same = (await scanRuns(out, noLockHolders)).filter((run) => isTheSame(run) && run.status !== "completed");
  const [found] = unfinishedRuns(await Promise.all(same.map(({ directory }) => findRun(directory, lockHolders))));
  if (!found) return undefined;
  const path = shellQuote(relative(process.cwd(), found.directory) || ".");
  terminal.say(`Unfinished, with the same configuration: ${path} (${found.status})`);
  if (!terminal.canAsk) {
    terminal.say(`This is a new run. To go on with that one:  bh-bridge resume ${path}`);
    return undefined;
  }
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: "Go on with it? No starts a new run", output: process.stderr });
  if (isCancel(answer)) throw new BhBridgeError("ABORTED", "nothing was started");
  return answer ? found.directory : undefined;
}
