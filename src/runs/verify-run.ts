import { existsSync } from "node:fs";
import { join } from "node:path";
import { configHash } from "../config/config-hash.js";
import { BhBridgeError } from "../errors.js";
import { parseChecksums, readChecksumsText } from "./checksums.js";
import { recordedStep } from "./history-index.js";
import { readEvents } from "./read-events.js";
import { readRunConfig } from "./run-config.js";
import { filesIn, finalFolder, isHistoryFile, requireRunEntries, runCheckpoints, runFiles } from "./run-layout.js";
import { readRunManifest, type StoredStatus } from "./run-manifest.js";
import { readRunNotes } from "./run-notes.js";
import { type UncoveredFile, uncoveredFiles } from "./uncovered-files.js";
import { verifyChecksums } from "./verify-checksums.js";
import { verifyFiles } from "./verify-files.js";
import { type HistoryFindings, verifyHistory } from "./verify-history.js";

/** What a check of a whole run found. */
interface RunVerification {
  /** What is wrong, in words; empty when nothing is. */
  problems: string[];
  /** Files that no checksum covers, or not in all their bytes. */
  uncovered: UncoveredFile[];
}

/**
 * Check every checksum of a run, and that its parts fit each other; say as well which files have none.
 *
 * A run that is under way is checked as far as it has been committed.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND` when there is nothing to check.
 */
export async function verifyRun(directory: string): Promise<RunVerification> {
  if (!existsSync(directory)) throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: no such directory`);
  for (;;) {
    const text = checksumsOf(directory);
    const verification = await verifyBy(text, directory);
    if (checksumsOf(directory) === text) return verification; // else a note was written meanwhile, or the run went on
  }
}

/** The text of its checksums; an empty one, which is damaged, where it cannot be read. */
function checksumsOf(directory: string): string | undefined {
  try {
    return readChecksumsText(directory);
  } catch (error) {
    if (error instanceof BhBridgeError) return "";
    throw error;
  }
}

async function verifyBy(checksums: string | undefined, directory: string): Promise<RunVerification> {
  const sums = checksums === undefined ? undefined : parseChecksums(checksums);
  const problems: string[] = [];
  if (checksums !== undefined && !sums) problems.push(`${join(directory, runFiles.checksums)} is damaged: its last line is not the checksum of the others`);
  problems.push(
    ...attempt(() => {
      requireRunEntries(directory);
      return [];
    }),
    ...verifyDescription(directory),
    ...verifyEvents(directory),
  );
  const histories = new Map<string, HistoryFindings>();
  for (const name of filesIn(directory).filter(isHistoryFile)) histories.set(name, await verifyHistory(join(directory, name)));
  problems.push(...[...histories.values()].flatMap((found) => found.problems));
  for (const folder of [...checkpointsOf(directory), join(directory, finalFolder)]) {
    if (existsSync(folder)) problems.push(...verifyUnlessPruned(folder));
  }
  if (sums) problems.push(...verifyChecksums(directory, sums));
  const told = [...new Set(problems)]; // a damaged description is met again by whoever opens a history
  return { problems: told, uncovered: uncoveredFiles(directory, { sums, status: statusOf(directory), histories }) };
}

function checkpointsOf(directory: string): string[] {
  try {
    return runCheckpoints(directory).map((checkpoint) => checkpoint.directory);
  } catch (error) {
    if (error instanceof BhBridgeError) return []; // told among the entries that a run does not have
    throw error;
  }
}

/** A training prunes checkpoints while they are being read: one that is gone is not damaged. */
function verifyUnlessPruned(folder: string): string[] {
  try {
    const problems = verifyFiles(folder);
    return existsSync(folder) ? problems : [];
  } catch (error) {
    if (!existsSync(folder)) return [];
    throw error;
  }
}

function statusOf(directory: string): StoredStatus | undefined {
  try {
    return readRunManifest(directory).status;
  } catch (error) {
    if (error instanceof BhBridgeError) return undefined; // told among the problems
    throw error;
  }
}

/** `run.json`, `config.json` and `notes.json`, and whether a run that says it is complete has everything. */
function verifyDescription(directory: string): string[] {
  return attempt(() => {
    const manifest = readRunManifest(directory);
    const config = readRunConfig(directory);
    readRunNotes(directory);
    const problems: string[] = [];
    const hash = configHash(config);
    if (hash !== manifest.config_hash) problems.push(`${directory}: ${runFiles.config} has hash ${hash}, ${runFiles.manifest} says ${manifest.config_hash}`);
    if (manifest.status !== "completed") return problems;
    const { max_steps } = config.training;
    const recorded = recordedStep(directory);
    if (recorded !== max_steps) problems.push(`${directory}: the run is complete, but its history ends at step ${recorded ?? "none"} of ${max_steps}`);
    if (!existsSync(join(directory, finalFolder))) problems.push(`${directory}: the run is complete, but there is no final model`);
    return problems;
  });
}

function verifyEvents(directory: string): string[] {
  return attempt(() => {
    const events = readEvents(directory);
    const at = events.findIndex((event, index) => index > 0 && event.seq <= (events[index - 1]?.seq ?? -1));
    return at < 0 ? [] : [`${directory}: event ${at + 1} of ${runFiles.events} has number ${events[at]?.seq}, which does not follow on ${events[at - 1]?.seq}`];
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
