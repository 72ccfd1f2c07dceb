import Table from "cli-table3";
import type { Census } from "../analysis/census.js";
import { groupDigits } from "../text/group-digits.js";

/** A table of this many lines is read at a glance. */
export const maxHolesShown = 20;
/** Columns that the table takes beside its list of members. */
const columnsBesideMembers = 32;
/** Where the output goes to no terminal, its width is that of a usual one. */
export const usualWidth = 100;
const narrowestMembers = 20;

/** The largest black holes with their members, in a table that fits `width` columns. */
export function holesTable({ populations, members = [], P }: Pick<Census, "populations" | "P"> & Partial<Pick<Census, "members">>, width = usualWidth): string {
  const table = new Table({
    head: ["", "population", "share", "rows"],
    colAligns: ["right", "right", "right", "left"],
    style: { head: [], border: [], compact: true },
  });
  const room = Math.max(narrowestMembers, width - columnsBesideMembers);
  for (const [index, population] of populations.slice(0, maxHolesShown).entries()) {
    table.push([index + 1, groupDigits(population), `${((100 * population) / P).toFixed(1)} %`, listRows(members[index] ?? [], room)]);
  }
  return table.toString();
}

/** Row numbers, runs of them as ranges, cut where the room ends. */
function listRows(rows: readonly number[], room: number): string {
  let text = "";
  for (let index = 0; index < rows.length; ) {
    let end = index;
    while (rows[end + 1] === (rows[end] ?? 0) + 1) end++;
    const run = end > index ? `${rows[index]}-${rows[end]}` : `${rows[index]}`;
    const longer = text === "" ? run : `${text},${run}`;
    if (longer.length > room - 1) return `${text}…`;
    text = longer;
    index = end + 1;
  }
  return text;
}
