import { BhBridgeError } from "../../errors.js";
import { lockHolders } from "../../python/lock-holders.js";
import { planRemoval, type Removal, removeRun } from "../../runs/remove-run.js";
import { directoryOfRun } from "../../runs/resolve-run.js";
import type { Terminal } from "../terminal/terminal.js";
import type { RunsRemovedDocument } from "./runs-document.js";

/**
 * Remove runs, after all of them have been understood and somebody has agreed.
 *
 * @param agreed whether the caller has said so; else a person at the terminal is asked.
 * @throws {BhBridgeError} as `resolveRun` and `planRemoval`; `USAGE` where nobody has agreed and nobody can be asked; `ABORTED` by a no.
 */
export async function removeRuns(runs: readonly string[], out: string, agreed: boolean, terminal: Terminal): Promise<void> {
  const removals = new Map<string, Removal>();
  for (const run of runs) {
    const directory = await directoryOfRun(run, out);
    removals.set(directory, await planRemoval(directory, lockHolders));
  }
  const doomed = [...removals.values()];
  if (!agreed) await demandConsent(doomed, terminal);
  for (const removal of doomed) await removeRun(removal, lockHolders);
  const document: RunsRemovedDocument = { schema: "bh-bridge/runs-removed@1", removed: doomed.map(({ path }) => path) };
  terminal.document(document);
  terminal.print(doomed.map((removal) => `removed ${described(removal)}`).join("\n"));
}

async function demandConsent(doomed: readonly Removal[], terminal: Terminal): Promise<void> {
  const list = doomed.map(described);
  if (!terminal.canAsk) throw new BhBridgeError("USAGE", `a removed run is gone for good: give --yes as well to remove ${list.join(", ")}`);
  terminal.say(list.join("\n"));
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: "Remove for good?", initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer) throw new BhBridgeError("ABORTED", "nothing was removed");
}

function described({ path, leadsTo }: Removal): string {
  return leadsTo === undefined ? path : `${path} (a symbolic link: only the link goes, and the run ${leadsTo} stays)`;
}
