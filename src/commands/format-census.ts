import Table from "cli-table3";
import type { TextColors } from "../config/text-colors.js";
import type { CensusDocument } from "./census-document.js";
import { printable } from "./printable.js";

/** A table of this many lines is read at a glance. */
const maxHolesShown = 20;
/** Columns that the table takes beside its list of members. */
const columnsBesideMembers = 32;
/** Where the output goes to no terminal, its width is that of a usual one. */
const usualWidth = 100;
const narrowestMembers = 20;

/** A census for people: what was counted, the totals, and a line for each of the largest black holes. */
export function formatCensus(document: CensusDocument, state: number | undefined, color: TextColors, width = usualWidth): string {
  const { source, tensor, dtype, shape, rows, unique, C, P, populations } = document;
  const at = state === undefined ? "" : `, state ${state}`;
  const number = (value: number): string => value.toLocaleString("en");
  return [
    `${color.bold(printable(tensor))} of ${printable(source)}${at}: ${dtype} ${shape.map(number).join(" × ")}`,
    "",
    `  Rows         ${number(rows)}${rows === shape[0] ? "" : ` of ${number(shape[0])}`}`,
    `  Unique rows  ${number(unique)}`,
    `  Black holes  C = ${number(C)}`,
    `  Population   P = ${number(P)}${rows > 0 ? ` (${((100 * P) / rows).toPrecision(3)} % of the rows)` : ""}`,
    ...(C === 0 ? [] : ["", holesTable(document, width)]),
    ...(populations.length > maxHolesShown ? [color.dim(`… and ${number(populations.length - maxHolesShown)} smaller ones; --json lists all`)] : []),
  ].join("\n");
}

function holesTable({ populations, members, P }: CensusDocument, width: number): string {
  const table = new Table({
    head: ["", "population", "share", "rows"],
    colAligns: ["right", "right", "right", "left"],
    style: { head: [], border: [], compact: true },
  });
  const room = Math.max(narrowestMembers, width - columnsBesideMembers);
  for (const [index, population] of populations.slice(0, maxHolesShown).entries()) {
    table.push([index + 1, population.toLocaleString("en"), `${((100 * population) / P).toFixed(1)} %`, listRows(members[index] ?? [], room)]);
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
