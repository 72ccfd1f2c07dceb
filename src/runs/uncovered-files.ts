import { dirname, join } from "node:path";
import type { Checksums } from "./checksums.js";
import { filesIn, indexPathOf, isHistoryFile, isRunFile, modelManifestFile, runFiles } from "./run-layout.js";
import type { StoredStatus } from "./run-manifest.js";
import { manifestSums } from "./verify-files.js";
import type { HistoryFindings } from "./verify-history.js";

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
