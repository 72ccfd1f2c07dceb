import type { RefObject } from "preact";
import type { HoleMarks } from "../../replay/holes.js";
import { TokenSearch } from "../../replay/token-field.js";
import type { HistoryDocument } from "../documents.js";
import { shown } from "../figures.js";

interface TokenPanelProps {
  history: HistoryDocument;
  followed: number | null;
  follow(row: number | null): void;
  holes: HoleMarks | undefined;
  nameOf(row: number): string;
  input: RefObject<HTMLInputElement | null>;
}

/** Finds a token to follow, and describes the one that is followed. */
export function TokenPanel({ history, followed, follow, holes, nameOf, input }: TokenPanelProps) {
  const isDead = followed !== null && history.dead.includes(followed);
  const hole = followed === null ? 0 : (holes?.hole[followed] ?? 0);
  return (
    <div class="panel token">
      <h3>Token</h3>
      <TokenSearch {...{ history, follow, nameOf, input }} />
      {followed === null ? (
        <p class="note">Click a point, or name a token, to follow it.</p>
      ) : (
        <p class="followed" data-testid="followed">
          <code>{nameOf(followed)}</code> number {history.ids?.[followed] ?? followed}, {isDead ? "not in the text" : "in the text"}
          {hole > 0 ? `, in black hole ${hole} with ${shown((holes?.populations[hole - 1] ?? 1) - 1)} others` : ", alone"}{" "}
          <button type="button" class="small" onClick={() => follow(null)}>
            Let go
          </button>
        </p>
      )}
    </div>
  );
}
