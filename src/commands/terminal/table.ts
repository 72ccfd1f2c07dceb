import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import type { Census } from "../../analysis/census/census.js";
import { groupDigits } from "../../text/format.js";
import { tokenName } from "../../text/names.js";

/** Width of output that does not go to a terminal. */
export const defaultWidth = 100;

const gap = "  ";
const noLines = Object.fromEntries(
  ["top", "bottom", "left", "right", "mid"]
    .flatMap((place) => [place, ...["left", "mid", "right"].map((side) => `${place}-${side}`)])
    .map((name) => [name, ""]),
);

interface TableLayout {
  /** Alignment by column (default: right, as for numbers). */
  align?: readonly ("left" | "right")[];
  width?: number | undefined;
  indent?: number;
}

export function columnWidths(head: readonly string[], rows: readonly (readonly string[])[]): number[] {
  return head.map((title, column) => Math.max(...[title, ...rows.map((row) => row[column] ?? "")].map((cell) => stripVTControlCharacters(cell).length)));
}

export function tableWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + gap.length * Math.max(0, widths.length - 1);
}

/** A table without lines. A table that is too wide is printed in parts below each other, each with the first column. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { align = [], width = defaultWidth, indent = 0 }: TableLayout = {},
): string {
  const widths = columnWidths(head, rows);
  return parts(widths, width - indent)
    .map((columns) =>
      draw(
        [head, ...rows].map((row) => columns.map((column) => row[column] ?? "")),
        columns.map((column) => align[column] ?? "right"),
      ),
    )
    .join("\n\n")
    .replaceAll(/^(?=.)/gm, " ".repeat(indent));
}

/** The columns of each part: the first one, and as many others as fit, at least one. */
function parts(widths: readonly number[], width: number): number[][] {
  const all: number[][] = [];
  for (let column = 1; column < widths.length; column++) {
    const part = all.at(-1);
    const fits = part && tableWidth([...part, column].map((one) => widths[one] ?? 0)) <= width;
    if (fits) part.push(column);
    else all.push([0, column]);
  }
  return all.length === 0 ? [[0]] : all;
}

function draw([head = [], ...rows]: readonly (readonly string[])[], colAligns: ("left" | "right")[]): string {
  const style = { head: [], border: [], "padding-left": 0, "padding-right": 0, compact: true };
  const drawn = new Table({ head: [...head], colAligns, chars: { ...noLines, middle: gap }, style });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

export const maxHolesShown = 20;
const narrowestMembers = 20;
const indent = 2;

type HolesShown = Pick<Census, "populations" | "P"> & { [Key in "members" | "texts"]?: Census[Key] | undefined };

/** The largest black holes with their members, in a table that fits `width` columns. */
export function holesTable({ populations, members = [], texts = [], P }: HolesShown, width = defaultWidth): string {
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

/** Names of tokens, consecutive ones as ranges, cut to the available room: `'0'…'9' \ #300`. */
function listTokens(tokens: readonly number[], texts: readonly (string | null)[], room: number): string {
  const shown = (index: number) => tokenName(tokens[index] ?? 0, texts[index]);
  let text = "";
  for (let index = 0; index < tokens.length; ) {
    let end = index;
    while (tokens[end + 1] === (tokens[end] ?? 0) + 1) end++;
    const run = end > index + 1 ? `${shown(index)}…${shown(end)}` : shown(index);
    const longer = text === "" ? run : `${text} ${run}`;
    if (longer.length > room - 1) return `${text}…`;
    text = longer;
    index = end > index + 1 ? end + 1 : index + 1;
  }
  return text;
}
