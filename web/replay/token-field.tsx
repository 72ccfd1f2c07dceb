import type { RefObject } from "preact";
import { useId, useMemo, useState } from "preact/hooks";
import { shown } from "../src/figures.js";
import { findTokens, type SearchedTokens, type TokenOption } from "./token-search.js";

interface TokenSearchProps {
  history: SearchedTokens;
  follow(row: number | null): void;
  nameOf(row: number): string;
  input?: RefObject<HTMLInputElement | null>;
}

/** A text field with suggestions (the combobox pattern of ARIA): the arrows choose one, Enter follows it. */
export function TokenSearch({ history, follow, nameOf, input }: TokenSearchProps) {
  const id = useId();
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
        ref={input ?? null}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        value={text}
        placeholder={history.ids === undefined ? "text or dead" : "text, number or dead"}
        aria-label="Token to follow"
        aria-autocomplete="list"
        aria-expanded={isOpen && options.length > 0}
        aria-controls={id}
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
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
      <div id={id} role="listbox" tabIndex={-1} aria-label="Tokens" hidden={!isOpen || options.length === 0}>
        {options.map((option, at) => (
          <div
            key={option.row}
            id={`${id}-${at}`}
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
              {option.isDead && (option.id === undefined ? "dead" : " · dead")}
            </span>
          </div>
        ))}
      </div>
    </form>
  );
}
