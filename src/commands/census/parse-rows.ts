import { BhBridgeError } from "../../errors.js";

const item = /^(?<first>[0-9]+)(?:-(?<last>[0-9]+))?$/;

/**
 * Row numbers from a list as `1,5,9-20` (commas, white space or both between the items), ascending and distinct.
 *
 * @param source where the list was given, for the message.
 * @param rows how many rows there are.
 * @throws {BhBridgeError} `USAGE` naming the item that is wrong.
 */
export function parseRows(list: string, source: string, rows: number): number[] {
  const items = list.split(/[\s,]+/).filter((text) => text !== "");
  if (items.length === 0) throw new BhBridgeError("USAGE", `${source} names no row; write them as 1,5,9-20`);
  const chosen = new Set<number>();
  for (const text of items) {
    const groups = item.exec(text)?.groups;
    if (!groups) throw new BhBridgeError("USAGE", `${source}: "${text}" is neither a row nor a range of rows; write them as 1,5,9-20`);
    const first = Number(groups["first"]);
    const last = Number(groups["last"] ?? groups["first"]);
    if (last < first) throw new BhBridgeError("USAGE", `${source}: the range ${text} runs backwards`);
    if (last >= rows) throw new BhBridgeError("USAGE", `${source}: there is no row ${last}; the rows are 0 to ${rows - 1}`);
    for (let row = first; row <= last; row++) chosen.add(row);
  }
  return [...chosen].sort((a, b) => a - b);
}
