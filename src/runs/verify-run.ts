import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { experimentHash } from "../config/experiment-hash.js";
import { BhBridgeError } from "../errors.js";
import { readEvents } from "./read-events.js";
import { recordedStep } from "./recorded-step.js";
import { runCheckpoints } from "./run-checkpoints.js";
import { readRunConfig } from "./run-config.js";
import { readRunManifest } from "./run-manifest.js";
import { readRunNotes } from "./run-notes.js";
import { verifyFiles } from "./verify-files.js";
import { verifyHistory } from "./verify-history.js";

const historyFilePattern = /^history(?:\..+)?\.safetensors$/;

/**
 * Check every checksum of a run, and that its parts fit each other; the list of what is wrong, empty when nothing is.
 *
 * A run that is under way is checked as far as it has been committed.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND` when there is nothing to check.
 */
export async function verifyRun(directory: string): Promise<string[]> {
  if (!existsSync(directory)) throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: no such directory`);
  const problems = [...verifyDescription(directory), ...verifyEvents(directory)];
  for (const name of readdirSync(directory).filter((each) => historyFilePattern.test(each))) problems.push(...(await verifyHistory(join(directory, name))));
  for (const folder of [...runCheckpoints(directory).map((checkpoint) => checkpoint.directory), join(directory, "final")]) {
    if (existsSync(folder)) problems.push(...(await verifyUnlessPruned(folder)));
  }
  return problems;
}

/** A training prunes checkpoints while they are being read: one that is gone is not damaged. */
async function verifyUnlessPruned(folder: string): Promise<string[]> {
  try {
    const problems = await verifyFiles(folder);
    return existsSync(folder) ? problems : [];
  } catch (error) {
    if (!existsSync(folder)) return [];
    throw error;
  }
}

/** `run.json`, `config.json` and `notes.json`, and whether a run that says it is complete has everything. */
function verifyDescription(directory: string): string[] {
  return attempt(() => {
    const manifest = readRunManifest(directory);
    const experiment = readRunConfig(directory);
    readRunNotes(directory);
    const problems: string[] = [];
    const hash = experimentHash(experiment);
    if (hash !== manifest.config_hash) problems.push(`${directory}: config.json has hash ${hash}, run.json says ${manifest.config_hash}`);
    if (manifest.status !== "completed") return problems;
    const { max_steps } = experiment.training;
    const recorded = recordedStep(directory);
    if (recorded !== max_steps) problems.push(`${directory}: the run is complete, but its history ends at step ${recorded ?? "none"} of ${max_steps}`);
    if (!existsSync(join(directory, "final"))) problems.push(`${directory}: the run is complete, but there is no final model`);
    return problems;
  });
}

function verifyEvents(directory: string): string[] {
  return attempt(() => {
    const events = readEvents(directory);
    const at = events.findIndex((event, index) => index > 0 && event.seq <= (events[index - 1]?.seq ?? -1));
    return at < 0 ? [] : [`${directory}: event ${at + 1} of events.jsonl has number ${events[at]?.seq}, which does not follow on ${events[at - 1]?.seq}`];
  });
}

function attempt(check: () => string[]): string[] {
  try {
    return check();
  } catch (error) {
    if (error instanceof BhBridgeError) return [error.message];
    throw error;
  }
}
