import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { configHash } from "../config/config-hash.js";
import { BhBridgeError, withFallback } from "../errors.js";
import { type Checksums, manifestSums, parseChecksums, problemIn, readChecksumsText, sha256OfFile, verifyFiles } from "./checksums.js";
import { isThere, requireRegular } from "./file-types.js";
import { historyHeadBytes, recordedStep } from "./history-index.js";
import { openModelDeltas, uncommittedWeights, verifyModelDeltas } from "./model-deltas.js";
import { readEvents } from "./read-events.js";
import { requireOwnRun } from "./read-run-json.js";
import { readRunConfig } from "./run-config.js";
import {
  filesIn,
  finalFolder,
  indexPathOf,
  isHistoryFile,
  isRunFile,
  modelManifestFile,
  requireRunEntries,
  runCheckpoints,
  runFiles,
  trackersFolder,
} from "./run-layout.js";
import { readRunManifest, readRunNotes, type StoredStatus } from "./run-manifest.js";
import { type HistoryFindings, verifyHistory } from "./verify-history.js";

/** A file that no checksum covers, or not completely. */
export interface UncoveredFile {
  /** Path in the run. */
  file: string;
  reason: string;
}

/** The checked state of a run. */
interface Coverage {
  /** Its `SHA256SUMS`, undefined if missing or damaged. */
  readonly sums: Checksums | undefined;
  /** The status in `run.json`, undefined if unreadable. */
  readonly status: StoredStatus | undefined;
  /** By the path of each history in the run. */
  readonly histories: ReadonlyMap<string, HistoryFindings>;
}

/** Hidden files, and unfinished files of a process that died. */
const leftover = /(?:^|\/)\.|\.partial$/;

/** The files in a run's directory that its checksums do not cover, with the reason. */
export function uncoveredFiles(directory: string, coverage: Coverage): UncoveredFile[] {
  const files = filesIn(directory).map((file) => (file.startsWith(`${trackersFolder}/`) ? trackersFolder : file));
  return [...new Set(files)].flatMap((file) => {
    const reason = reasonOf(directory, file, coverage);
    return reason === undefined ? [] : [{ file, reason }];
  });
}

function reasonOf(directory: string, file: string, coverage: Coverage): string | undefined {
  const { sums, histories } = coverage;
  if (file === runFiles.lock) return "it names the process that wrote last, and holds nothing of the run";
  if (file === runFiles.stop) return "it asks for a stop, and holds nothing of the run";
  if (file === runFiles.signature) return "it signs the checksums: check it with --signers";
  if (leftover.test(file)) return "a process was making or removing it; it means nothing";
  if (isHistoryFile(file)) return sums?.files.has(file) ? undefined : historyReason(histories.get(file), coverage);
  if (file === trackersFolder) return "trackers write it, and may change it later";
  if (!isRunFile(file)) return "it is not a part of the run";
  if (sums) return sums.files.has(file) || sums.next.has(file) || file === runFiles.checksums ? undefined : "it came after the checksums";
  if (file === runFiles.deltas || file === runFiles.deltasIndex) return uncommittedWeights(directory);
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

/** The reason why a run has no checksums of whole files. */
function withoutChecksums({ status }: Coverage): string {
  if (status === "running" || status === "failed") return `${runFiles.checksums} is written when the run has come to its end`;
  if (status === "completed") return `the run has no sound ${runFiles.checksums}; "bh-bridge resume" writes one where there is none`;
  return `the run has no sound ${runFiles.checksums}`;
}

/**
 * Problems of the files of a run by its `SHA256SUMS`: missing files and other checksums. Files with the same checksum in a manifest are left to `verifyFiles`.
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

export interface RunVerification {
  problems: string[];
  uncovered: UncoveredFile[];
}

/**
 * Check every checksum of a run and the consistency of its parts, and list files without a checksum. Of a running run, the committed part is checked.
 * @throws {BhBridgeError} `RUN_NOT_FOUND` if the directory does not exist or is a log of another program.
 */
export async function verifyRun(directory: string): Promise<RunVerification> {
  if (!existsSync(directory)) throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: no such directory`);
  requireOwnRun(directory);
  for (;;) {
    const text = checksumsOf(directory);
    const verification = await verifyBy(text, directory);
    if (checksumsOf(directory) === text) return verification; // else a note was written or the run was resumed meanwhile
  }
}

/** The text of its checksums; if unreadable an empty one, which counts as damaged. */
export function checksumsOf(directory: string): string | undefined {
  return withFallback<string | undefined>(
    () => readChecksumsText(directory),
    () => "",
  );
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
  problems.push(...[...histories.values()].flatMap((found) => found.problems), ...verifyModelDeltas(directory));
  for (const folder of [...checkpointsOf(directory), join(directory, finalFolder)]) {
    if (existsSync(folder)) problems.push(...verifyUnlessPruned(folder));
  }
  if (sums) problems.push(...verifyChecksums(directory, sums));
  const status = withFallback<StoredStatus | undefined>(
    () => readRunManifest(directory).status,
    () => undefined, // reported by verifyDescription
  );
  const distinct = [...new Set(problems)]; // opening a history reports a damaged description again
  return { problems: distinct, uncovered: uncoveredFiles(directory, { sums, status, histories }) };
}

function checkpointsOf(directory: string): string[] {
  return withFallback<string[]>(
    () => runCheckpoints(directory).map((checkpoint) => checkpoint.directory),
    () => [], // reported by requireRunEntries
  );
}

/** A training prunes checkpoints while they are being read: a missing one is not damaged. */
function verifyUnlessPruned(folder: string): string[] {
  try {
    const problems = verifyFiles(folder);
    return existsSync(folder) ? problems : [];
  } catch (error) {
    if (!existsSync(folder)) return [];
    throw error;
  }
}

/** Check `run.json`, `config.json` and `notes.json`, and that a completed run has all its parts. */
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
    if (config.record.model === "deltas") {
      using deltas = openModelDeltas(directory);
      if (deltas?.lastStep !== max_steps)
        problems.push(`${directory}: the run is complete, but its weights end at step ${deltas?.lastStep ?? "none"} of ${max_steps}`);
    }
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
  return withFallback(check, ({ message }) => [message]);
}
