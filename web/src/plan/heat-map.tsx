import { fieldName } from "../../../src/text/names.js";
import { alignedNumber, shown } from "../figures.js";
import { useTheme } from "../theme.js";
import { isWhiteOn, type SweptRow, scaleOf, shade } from "./swept-row.js";

interface HeatMapProps {
  /** The trials that the filters leave. */
  rows: readonly SweptRow[];
  /** All trials, which determine rows, columns and colours. */
  all: readonly SweptRow[];
  across: string;
  down: string;
  measure: string;
}

/** The mean of a measure over two swept fields, with its number and the number of trials. */
export function HeatMap({ rows, all, across, down, measure }: HeatMapProps) {
  const { isDark } = useTheme();
  const columns = scaleOf(all, across).values;
  const lines = across === down ? [""] : scaleOf(all, down).values;
  const cellsOf = (from: readonly SweptRow[]) =>
    lines.map((line) =>
      columns.map((column) => {
        const own = from.filter(({ values }) => isValue(values[across], column) && (across === down || isValue(values[down], line)));
        const numbers = own.flatMap(({ values }) => (typeof values[measure] === "number" ? [values[measure]] : []));
        return { n: numbers.length, mean: numbers.length === 0 ? null : numbers.reduce((sum, value) => sum + value, 0) / numbers.length };
      }),
    );
  const cells = cellsOf(rows);
  const means = cellsOf(all)
    .flat()
    .flatMap(({ mean }) => mean ?? []);
  const { place } = scaleOf(
    [...means, ...cells.flat().flatMap(({ mean }) => mean ?? [])].map((mean, index) => ({ id: String(index), run: null, name: "", values: { mean } })),
    "mean",
  );
  const text = means.every(Number.isInteger) ? shown : alignedNumber(means);
  return (
    <figure class="panel wide">
      <figcaption>
        Mean {measure} by {fieldName(across, [across, down])}
        {across !== down && ` and ${fieldName(down, [across, down])}`}
      </figcaption>
      <div class="scroll">
        <table class="heat">
          <thead>
            <tr>
              <th title={down}>{across === down ? "" : fieldName(down, [across, down])}</th>
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
                    <td
                      key={columns[column]}
                      style={mean === null ? {} : { background: shade(share), color: isWhiteOn(share, isDark) ? "#ffffff" : "#000000" }}
                    >
                      {text(mean)}
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

/** Words are compared as text, because a field may mix them with numbers. */
function isValue(value: string | number | undefined, other: string | number | undefined): boolean {
  return value === other || (value !== undefined && String(value) === String(other));
}
