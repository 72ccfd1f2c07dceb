import { useState } from "preact/hooks";
import type { StageMark } from "../../replay/stage-text.js";
import type { CensusOfStateDocument, HistoryDocument } from "../documents.js";
import { shown } from "../figures.js";
import type { HoleMarks } from "./holes.js";

/** The sign of a kind of token, as the cloud draws it. */
export function Mark({ kind }: { kind: StageMark }) {
  return (
    <svg width="14" height="14" viewBox="-8 -8 16 16" aria-hidden="true" class={`mark ${kind}`}>
      {kind === "live" && <circle r="5" />}
      {kind === "dead" && <path d="M0-6L6 0L0 6L-6 0Z" />}
      {kind === "hole" && <circle r="5.5" />}
      {kind === "followed" && <circle r="5.5" />}
    </svg>
  );
}

/** C, P and the distinct rows of the state that is shown, with the tokens of its largest black holes. */
export function HolesPanel({
  holes,
  census,
  nameOf,
}: {
  holes: HoleMarks | undefined;
  census: CensusOfStateDocument | undefined;
  nameOf(token: number): string;
}) {
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
      {count === 0 && <p class="note">No two rows are equal.</p>}
      {census && census.C > 0 && (
        <ol class="holes">
          {census.holes.slice(0, 12).map(({ population, tokens }) => (
            <li key={tokens[0]}>
              <b>{population}</b>{" "}
              {tokens.slice(0, 40).map((token) => (
                <code key={token}>{nameOf(token)}</code>
              ))}
              {tokens.length > 40 && ` and ${tokens.length - 40} more`}
            </li>
          ))}
          {census.C > 12 && <li class="more">and {census.C - 12} more</li>}
        </ol>
      )}
    </div>
  );
}

interface TokenPanelProps {
  history: HistoryDocument;
  followed: number | null;
  follow(row: number | null): void;
  holes: HoleMarks | undefined;
  nameOf(row: number): string;
}

/** Finds a token to follow, and says where the one that is followed stands. */
export function TokenPanel({ history, followed, follow, holes, nameOf }: TokenPanelProps) {
  const [text, setText] = useState("");
  const isDead = followed !== null && history.dead.includes(followed);
  const hole = followed === null ? 0 : (holes?.hole[followed] ?? 0);
  const find = () => {
    const wanted = text.trim() === "" && text !== "" ? " " : text.trim();
    const ids = history.ids ?? history.texts.map((_, row) => row);
    const named = history.texts.indexOf(wanted);
    const row = named >= 0 ? named : ids.indexOf(Number(wanted.replace("#", "")));
    if (row >= 0) follow(row);
  };
  return (
    <div class="panel">
      <h3>Token</h3>
      <form
        class="find"
        onSubmit={(event) => {
          event.preventDefault();
          find();
        }}
      >
        <input
          type="text"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          placeholder="character or number"
          aria-label="Token to follow"
        />
        <button type="submit">Follow</button>
      </form>
      {followed === null ? (
        <p class="note">Click a point, or name a token, to follow it.</p>
      ) : (
        <p class="followed" data-testid="followed">
          <code>{nameOf(followed)}</code> number {history.ids?.[followed] ?? followed}, {isDead ? "not in the text" : "in the text"}
          {hole > 0 ? `, in black hole ${hole} with ${(holes?.populations[hole - 1] ?? 1) - 1} others` : ", alone"}{" "}
          <button type="button" class="small" onClick={() => follow(null)}>
            Let go
          </button>
        </p>
      )}
    </div>
  );
}
