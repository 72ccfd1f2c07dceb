import { relative } from "node:path";
import { hasTakenStep } from "../../runs/read-events.js";
import { shellQuote } from "../../text/shell-quote.js";

/** The command that goes on with a run; nothing for a run that has no step to go on from. */
export function goOnWith(run: string): string | undefined {
  return hasTakenStep(run) ? `Go on with:  bh-bridge resume ${shellQuote(relative(process.cwd(), run) || ".")}` : undefined;
}
