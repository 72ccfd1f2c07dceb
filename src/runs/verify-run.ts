import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { configHash } from "../config/config-hash.js";
import { BhBridgeError } from "../errors.js";
import { type Checksums, manifestSums, parseChecksums, problemIn, readChecksumsText, sha256OfFile, verifyFiles } from "./checksums.js";
import { isThere, requireRegular } from "./file-types.js";
import { historyHeadBytes, recordedStep } from "./history-index.js";
import { readEvents } from "./read-events.js";
import { readRunConfig } from "./run-config.js";
import { filesIn, finalFolder, indexPathOf, isHistoryFile, isRunFile, modelManifestFile, requireRunEntries, runCheckpoints, runFiles } from "./run-layout.js";
import { readRunManifest, readRunNotes, type StoredStatus } from "./run-manifest.js";
import { type HistoryFindings, verifyHistory } from "./verify-history.js";

/** A file in which damage would not be noticed, or not all of it. */
export interface UncoveredFile {
  /** Path in the run. */
  file: string;
  /** What is not covered, and why. */
  reason: string;
}

/** What is known of a run when its files have been checked. */
interface Coverage {
  /** Its `SHA256SUMS`; nothing where there is none, or a damaged one. */
  readonly sums: Checksums | undefined;
  /** What `run.json` says; nothing where it cannot be read. */
  readonly status: StoredStatus | undefined;
  /** By the path of each history in the run. */
  readonly histories: ReadonlyMap<string, HistoryFindings>;
}

/** Hidden files, and those that a process that died was writing. */
const leftover = /(?:^|\/)\.|\.partial$/;

/** The files in a run's directory that its checksums do not cover, each with the reason. */
export function uncoveredFiles(directory: string, coverage: Coverage): UncoveredFile[] {
  return filesIn(directory).flatMap((file) => {
    const reason = reasonOf(directory, file, coverage);
    return reason === undefined ? [] : [{ file, reason }];
  });
}

function reasonOf(directory: string, file: string, coverage: Coverage): string | undefined {
  const { sums, histories } = coverage;
  if (file === runFiles.lock) return "it names the process that wrote last, and holds nothing of the run";
  if (file === runFiles.stop) return "it asks for a stop, and holds nothing of the run";
  if (leftover.test(file)) return "a process was making or removing it; it means nothing";
  if (isHistoryFile(file)) return historyReason(histories.get(file), coverage);
  if (!isRunFile(file)) return "it is not a part of the run";
  if (sums) return sums.files.has(file) || sums.next.has(file) || file === runFiles.checksums ? undefined : "it came after the checksums";
  const index = [...histories].find(([path]) => indexPathOf(path) === file)?.[1];
  if (index) return index.recordGap;
  const folder = dirname(join(directory, file));
  const name = file.slice(file.lastIndexOf("/") + 1);
  return name !== modelManifestFile && manifestSums(folder).has(name) ? undefined : withoutChecksums(coverage);
}

function historyReason(findings: HistoryFindings | undefined, { sums, status, histories }: Coverage): string | undefined {
  if (!findings) return "it was not there when the check began";
  if (!sums) return `only its states have checksums: ${withoutChecksums({ sums, status, histories })}`;
  return findings.hasSpace ? "the space after its last state means nothing" : undefined;
}

/** Why a run has no checksums of whole files. */
function withoutChecksums({ status }: Coverage): string {
  if (status === "running" || status === "failed") return `${runFiles.checksums} is written when the run has come to its end`;
  if (status === "completed") return `the run has no sound ${runFiles.checksums}; "bh-bridge resume" writes one where there is none`;
  return `the run has no sound ${runFiles.checksums}`;
}

/**
 * What is wrong with the files of a run by its `SHA256SUMS`: those that are gone, and those that have another checksum.
 *
 * A file that a manifest has with the same checksum is left to `verifyFiles`, which reads it as well.
 */
export function verifyChecksums(directory: string, { files, heads, next }: Checksums): string[] {
  const problems: string[] = [];
  const check = (path: string, accepted: (string | undefined)[], bytes?: number) => {
    const file = join(directory, path);
    const problem = problemIn(() => {
      if (!isThere(file)) return `${file} is missing`;
      requireRegular(file);
      return accepted.includes(sha256OfFile(file, bytes)) ? undefined : `${file} is damaged: its SHA-256 is not the one in ${runFiles.checksums}`;
    });
    if (problem !== undefined) problems.push(problem);
  };
  for (const [path, sum] of files) {
    if (manifestSums(dirname(join(directory, path))).get(basename(path)) !== sum) check(path, [sum, next.get(path)]);
  }
  for (const [path, sum] of next) {
    if (!files.has(path) && existsSync(join(directory, path))) check(path, [sum]);
  }
  for (const [path, sum] of heads) check(path, [sum], historyHeadBytes);
  return problems;
}

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
