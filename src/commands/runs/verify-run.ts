import { exitCodes } from "../../errors.js";
import type { UncoveredFile } from "../../runs/uncovered-files.js";
import { verifyRun } from "../../runs/verify-run.js";
import { printable } from "../../text/printable.js";
import type { Terminal } from "../terminal/terminal.js";
import type { VerifyDocument } from "./runs-document.js";

/** Check a run, and show what is wrong, and what no checksum covers. */
export async function showVerification(directory: string, terminal: Terminal): Promise<void> {
  const { problems, uncovered } = await verifyRun(directory);
  const document: VerifyDocument = { schema: "bh-bridge/verify@1", run: directory, ok: problems.length === 0, problems, uncovered };
  terminal.document(document);
  const found = problems.length === 0 ? [`${directory}: every checksum holds`] : problems.map((problem) => problem.replaceAll("\n", "\n  "));
  terminal.print([...found, ...uncoveredLines(uncovered)].join("\n"));
  if (problems.length > 0) process.exitCode = exitCodes.failed;
}

/** One line for each reason, with its files. */
function uncoveredLines(uncovered: readonly UncoveredFile[]): string[] {
  const reasons = [...new Set(uncovered.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const files = uncovered.filter((each) => each.reason === reason).map(({ file }) => printable(file));
    return `Not covered: ${files.join(", ")} (${reason})`;
  });
}
