import { count } from "../text/count.js";
import { groupDigits } from "../text/group-digits.js";

/** What a document, or one of its parts, says in its notes. */
export interface AnalysisNotes {
  note(line: string): void;
  /** Note that fields are left out, and why. */
  leaveOut(fields: readonly string[], reason: string): void;
  /** `arrays`, unless they have more than `maxTokens` entries, which is noted. @param within where they stand, such as `initial.` */
  perToken<Arrays extends object>(arrays: Arrays, entries: number, within?: string): Partial<Arrays>;
}

/** Notes that become lines of a document. @param part what stands before the name of each field, such as `motion.`; nothing for the document itself */
export function analysisNotes(lines: string[], maxTokens: number, part: string): AnalysisNotes {
  const leaveOut = (fields: readonly string[], reason: string): void => {
    lines.push(`left out: ${fields.map((field) => `${part}${field}`).join(", ")}: ${reason}`);
  };
  return {
    note: (line) => lines.push(line),
    leaveOut,
    perToken(arrays, entries, within = "") {
      if (entries <= maxTokens) return arrays;
      const fields = Object.keys(arrays).map((name) => `${within}${name}`);
      leaveOut(fields, `${count(entries, "entry", "entries")}, more than ${groupDigits(maxTokens)} (maxTokens)`);
      return {};
    },
  };
}
