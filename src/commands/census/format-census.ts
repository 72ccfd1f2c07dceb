import type { TextColors } from "../../config/text-colors.js";
import { count } from "../../text/count.js";
import { groupDigits } from "../../text/group-digits.js";
import { printable } from "../../text/printable.js";
import { wrap } from "../../text/wrap.js";
import { holesTable, maxHolesShown } from "../terminal/holes-table.js";
import type { CensusDocument } from "./census-document.js";

/** A census for people: what was counted, the totals, and a line for each of the largest black holes. */
export function formatCensus(document: CensusDocument, step: number | undefined, color: TextColors, width?: number): string {
  const { source, tensor, dtype, shape, rows, unique, C, P, populations } = document;
  const at = step === undefined ? "" : `, step ${step}`;
  return [
    wrap(`${color.bold(printable(tensor))} of ${printable(source)}${at}: ${dtype} ${shape.map(groupDigits).join(" × ")}`, width),
    "",
    `  Rows         ${groupDigits(rows)}${rows === shape[0] ? "" : ` of ${groupDigits(shape[0])}`}`,
    `  Unique rows  ${groupDigits(unique)}`,
    `  Black holes  C = ${groupDigits(C)}`,
    `  Population   P = ${groupDigits(P)}${rows > 0 ? ` (${((100 * P) / rows).toPrecision(3)} % of the rows)` : ""}`,
    ...(C === 0 ? [] : ["", holesTable(document, width)]),
    ...(populations.length > maxHolesShown ? [color.dim(`… and ${count(populations.length - maxHolesShown, "smaller one")}; --json lists all`)] : []),
  ].join("\n");
}
