import type { RefObject } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { HistoryDocument } from "../documents.js";
import { shown } from "../figures.js";
import type { HoleMarks } from "./holes.js";
import { findTokens, type TokenOption } from "./token-search.js";

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

/** A text field with suggestions (the combobox pattern of ARIA): the arrows choose one, Enter follows it. */
export function TokenSearch({ history, follow, nameOf, input }: Pick<TokenPanelProps, "history" | "follow" | "nameOf" | "input">) {
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const { options, matches } = useMemo(() => (isOpen ? findTokens(text, history, nameOf) : { options: [], matches: 0 }), [isOpen, text, history]);
  const isUnknown = isOpen && text !== "" && matches === 0;
  const choose = ({ row, name }: TokenOption) => {
    setText(name);
    setOpen(false);
    setActive(-1);
    follow(row);
  };
  const submit = () => {
    const [best] = findTokens(text, history, nameOf).options;
    const chosen = options[active] ?? (text === "" ? undefined : best);
    if (chosen) choose(chosen);
    else setOpen(true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) {
      setOpen(true);
      const count = options.length + 1; // one more for the text itself
      setActive(isOpen ? ((active + 1 + by + count) % count) - 1 : -1);
    } else if (event.key === "Escape" && isOpen) {
      setOpen(false);
      setActive(-1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <form
      class="find"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <input
        ref={input}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        value={text}
        placeholder="text, number or dead"
        aria-label="Token to follow"
        aria-autocomplete="list"
        aria-expanded={isOpen && options.length > 0}
        aria-controls="tokens-found"
        aria-activedescendant={active >= 0 ? `token-${active}` : undefined}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
          setActive(-1);
        }}
        onClick={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          setActive(-1);
        }}
        onKeyDown={onKeyDown}
      />
      <button type="submit">Follow</button>
      <p class="found" role="status">
        {isUnknown && `No such token: ${text}`}
        {isOpen && matches > options.length && `${shown(matches)} tokens, the first ${options.length} are listed`}
      </p>
      <div id="tokens-found" role="listbox" tabIndex={-1} aria-label="Tokens" hidden={!isOpen || options.length === 0}>
        {options.map((option, at) => (
          <div
            key={option.row}
            id={`token-${at}`}
            role="option"
            aria-selected={at === active}
            ref={at === active ? (element) => element?.scrollIntoView({ block: "nearest" }) : null}
            tabIndex={-1}
            onMouseDown={(event) => {
              event.preventDefault(); // the field keeps the focus
              choose(option);
            }}
          >
            <code>{option.name}</code>
            <span>
              {option.id}
              {option.isDead && " · dead"}
            </span>
          </div>
        ))}
      </div>
    </form>
  );
}
