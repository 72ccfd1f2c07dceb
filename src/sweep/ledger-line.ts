import type { LedgerLine } from "./ledger.js";
import type { TrialEnd } from "./pool/trial-task.js";

/** What a ledger says of how a trial came to its end in a worker. */
export function lineOfEnd(end: TrialEnd): Pick<LedgerLine, "status" | "reason" | "result"> {
  if (end.kind === "completed") return { status: "completed", result: end.result };
  if (end.kind === "pruned") return { status: "pruned", result: end.result, reason: end.reason };
  if (end.kind === "stopped") return { status: "planned" };
  if (end.kind === "died" || end.kind === "lost") return { status: "lost", reason: end.reason };
  return { status: "failed", reason: end.reason, ...(end.result && { result: end.result }) };
}
