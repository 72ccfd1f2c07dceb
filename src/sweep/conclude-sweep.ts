import type { Conclude } from "./conduct-plan.js";
import type { Plan } from "./plan/plan.js";
import { type SweepDocument, sweepDocument } from "./sweep-document.js";
import { summaryText } from "./sweep-summary.js";

/** What a sweep says at its end: what became of its trials, without a verdict. */
export function concludeSweep({ name }: Pick<Plan, "name">): Conclude<SweepDocument> {
  return ({ directory, trials }) => {
    const document = sweepDocument(name, directory, trials);
    return { document, summary: summaryText(document) };
  };
}
