import { count } from "../../../src/text/format.js";
import { tokenName } from "../../../src/text/names.js";
import type { Snapshot } from "./messages.js";

/** "equal in every bit: 200 of 200 steps", or where the first difference is. */
export function outcomeOf(snapshots: readonly Snapshot[]): string {
  const compared = snapshots.filter(({ comparison, step }) => comparison && step > 0);
  const equal = compared.filter(({ comparison }) => comparison?.isEqual).length;
  const differing = snapshots.find(({ comparison }) => comparison?.isEqual === false);
  if (differing?.comparison?.isEqual !== false) return `equal in every bit: ${equal} of ${compared.length} steps`;
  const { rows } = differing.comparison;
  const [first] = rows;
  const where = first === undefined ? "" : `, first in token ${first} (${tokenName(first, String.fromCharCode(first))})`;
  const more = rows.length > 1 ? ` and ${rows.length - 1} more` : "";
  if (differing.step === 0) return `The initial weights differ${where}${more}.`;
  return `different from step ${differing.step} on${where}${more}. Equal in every bit before: ${count(equal, "step")}`;
}
