import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Checksums, sha256OfFile } from "./checksums.js";
import { isThere, requireRegular } from "./file-types.js";
import { historyHeadBytes } from "./history-index.js";
import { runFiles } from "./run-layout.js";
import { manifestSums, problemIn } from "./verify-files.js";

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
