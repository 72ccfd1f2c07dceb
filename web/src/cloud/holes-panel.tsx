import type { HoleMarks } from "../../replay/holes.js";
import { shown } from "../figures.js";
import { rowsOf } from "./lattice.js";

/** Black holes in the list, and tokens of each. */
const mostHoles = 12;
const mostTokens = 40;

interface HolesPanelProps {
  holes: HoleMarks | undefined;
  /** The black hole that is opened. */
  opened: number;
  open(row: number): void;
  nameOf(row: number): string;
}

/** C, P and the distinct rows of the state on the stage, with the tokens of its largest black holes. */
export function HolesPanel({ holes, opened, open, nameOf }: HolesPanelProps) {
  const count = holes?.populations.length ?? 0;
  const inHoles = holes?.populations.reduce((sum, population) => sum + population, 0) ?? 0;
  return (
    <div class="panel">
      <h3>Black holes</h3>
      <dl class="numbers">
        <div>
          <dt>C</dt>
          <dd data-testid="C">{shown(count)}</dd>
        </div>
        <div>
          <dt>P</dt>
          <dd data-testid="P">{shown(inHoles)}</dd>
        </div>
        <div>
          <dt>unique</dt>
          <dd>{shown(holes ? holes.hole.length - inHoles + count : null)}</dd>
        </div>
      </dl>
      {holes && count === 0 && <p class="note">No two rows are equal.</p>}
      {holes && count > 0 && (
        <ol class="holes" aria-label="Black holes and their tokens">
          {holes.populations.slice(0, mostHoles).map((population, index) => {
            const rows = rowsOf(holes, index + 1);
            return (
              <li key={index}>
                <button
                  type="button"
                  class="small"
                  aria-pressed={opened === index + 1}
                  aria-label={`Open black hole ${index + 1} with ${shown(population)} tokens`}
                  onClick={() => open(rows[0] ?? 0)}
                >
                  {shown(population)}
                </button>{" "}
                {rows.slice(0, mostTokens).map((row) => (
                  <code key={row}>{nameOf(row)}</code>
                ))}
                {rows.length > mostTokens && ` and ${shown(rows.length - mostTokens)} more`}
              </li>
            );
          })}
          {count > mostHoles && <li class="more">and {shown(count - mostHoles)} more</li>}
        </ol>
      )}
    </div>
  );
}
