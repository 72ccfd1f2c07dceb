import { shown } from "../figures.js";
import { type SweptRow, scaleOf, shade } from "./swept-row.js";

/** The mean of a measure over two swept fields, with its number and how many trials it is of: no colour alone. */
export function HeatMap({ rows, across, down, measure }: { rows: readonly SweptRow[]; across: string; down: string; measure: string }) {
  const columns = sortedValues(rows, across);
  const lines = across === down ? [""] : sortedValues(rows, down);
  const cells = lines.map((line) =>
    columns.map((column) => {
      const own = rows.filter(({ values }) => values[across] === column && (across === down || values[down] === line));
      const numbers = own.flatMap(({ values }) => (typeof values[measure] === "number" ? [values[measure]] : []));
      return { n: numbers.length, mean: numbers.length === 0 ? null : numbers.reduce((sum, value) => sum + value, 0) / numbers.length };
    }),
  );
  const means = cells.flat().flatMap(({ mean }) => mean ?? []);
  const { place } = scaleOf(
    means.map((mean, index) => ({ id: String(index), run: null, values: { mean } })),
    "mean",
  );
  return (
    <figure class="panel wide">
      <figcaption>
        Mean {measure} by {across}
        {across !== down && ` and ${down}`}
      </figcaption>
      <div class="scroll">
        <table class="heat">
          <thead>
            <tr>
              <th>{across === down ? "" : down}</th>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {shown(column)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cells.map((line, index) => (
              <tr key={lines[index]}>
                <th scope="row">{across === down ? measure : shown(lines[index])}</th>
                {line.map(({ mean, n }, column) => {
                  const share = mean === null ? 0 : place(mean);
                  return (
                    <td key={columns[column]} class={share > 0.55 ? "full" : ""} style={mean === null ? {} : { background: shade(share) }}>
                      {shown(mean)}
                      {n !== 1 && <small>n = {n}</small>}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function sortedValues(rows: readonly SweptRow[], name: string): (string | number)[] {
  const values = [...new Set(rows.flatMap(({ values }) => values[name] ?? []))];
  return values.sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1));
}
