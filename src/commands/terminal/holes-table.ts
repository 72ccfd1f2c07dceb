import type { Census } from "../../analysis/census/census.js";
import { groupDigits } from "../../text/group-digits.js";
import { printable } from "../../text/printable.js";
import { columnWidths, table, tableWidth, usualWidth } from "./table.js";

/** A table of this many lines is read at a glance. */
export const maxHolesShown = 20;
const narrowestMembers = 20;
const indent = 2;

/** What a table of black holes is made from. */
interface HolesShown extends Pick<Census, "populations" | "P"> {
  readonly members?: Census["members"] | undefined;
  readonly texts?: Census["texts"] | undefined;
}

/** The largest black holes with their members, in a table that fits `width` columns. */
export function holesTable({ populations, members = [], texts = [], P }: HolesShown, width = usualWidth): string {
  const head = ["", "population", "share"];
  const rows = populations
    .slice(0, maxHolesShown)
    .map((population, index) => [String(index + 1), groupDigits(population), `${((100 * population) / P).toFixed(1)} %`]);
  const room = Math.max(narrowestMembers, width - indent - tableWidth([...columnWidths(head, rows), 0]));
  return table(
    [...head, "tokens"],
    rows.map((row, index) => [...row, listTokens(members[index] ?? [], texts[index] ?? [], room)]),
    { align: ["right", "right", "right", "left"], width, indent },
  );
}

/** Tokens with the character that each stands for, runs of them as ranges, cut where the room ends: `48 '0'-57 '9',92`. */
function listTokens(tokens: readonly number[], texts: readonly (string | null)[], room: number): string {
  const shown = (index: number) => {
    const text = texts[index] ?? null;
    return text === null || printable(text) !== text ? `${tokens[index]}` : `${tokens[index]} '${text}'`;
  };
  let text = "";
  for (let index = 0; index < tokens.length; ) {
    let end = index;
    while (tokens[end + 1] === (tokens[end] ?? 0) + 1) end++;
    const run = end > index ? `${shown(index)}-${shown(end)}` : shown(index);
    const longer = text === "" ? run : `${text},${run}`;
    if (longer.length > room - 1) return `${text}…`;
    text = longer;
    index = end + 1;
  }
  return text;
}
