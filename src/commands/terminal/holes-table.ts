import type { Census } from "../../analysis/census.js";
import { groupDigits } from "../../text/group-digits.js";
import { columnWidths, table, tableWidth, usualWidth } from "./table.js";

/** A table of this many lines is read at a glance. */
export const maxHolesShown = 20;
const narrowestMembers = 20;
const indent = 2;

/** The largest black holes with their members, in a table that fits `width` columns. */
export function holesTable({ populations, members = [], P }: Pick<Census, "populations" | "P"> & Partial<Pick<Census, "members">>, width = usualWidth): string {
  const head = ["", "population", "share"];
  const rows = populations
    .slice(0, maxHolesShown)
    .map((population, index) => [String(index + 1), groupDigits(population), `${((100 * population) / P).toFixed(1)} %`]);
  const room = Math.max(narrowestMembers, width - indent - tableWidth([...columnWidths(head, rows), 0]));
  return table(
    [...head, "tokens"],
    rows.map((row, index) => [...row, listTokens(members[index] ?? [], room)]),
    { align: ["right", "right", "right", "left"], width, indent },
  );
}

/** Tokens, runs of them as ranges, cut where the room ends. */
function listTokens(tokens: readonly number[], room: number): string {
  let text = "";
  for (let index = 0; index < tokens.length; ) {
    let end = index;
    while (tokens[end + 1] === (tokens[end] ?? 0) + 1) end++;
    const run = end > index ? `${tokens[index]}-${tokens[end]}` : `${tokens[index]}`;
    const longer = text === "" ? run : `${text},${run}`;
    if (longer.length > room - 1) return `${text}…`;
    text = longer;
    index = end + 1;
  }
  return text;
}
