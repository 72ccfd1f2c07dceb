import "./palette.css";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useAddress } from "../address.js";
import { type Entry, entriesFor, loadSearched, type Searched } from "./entries.js";

/** Goes to a run, a step, a token, a chart or a figure by name: Ctrl-K, or its button. */
export function Palette() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setOpen((is) => !is);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button
        type="button"
        class="small go-to"
        aria-label="Go to Ctrl K"
        aria-keyshortcuts="Control+K Meta+K"
        aria-haspopup="dialog"
        title="Go to a run, a step, a token or a figure"
        onClick={() => setOpen(true)}
      >
        <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M10.5 10.5L15 15M12 6.5A5.5 5.5 0 1 1 1 6.5A5.5 5.5 0 0 1 12 6.5Z" fill="none" stroke="currentColor" stroke-width="1.8" />
        </svg>
        <span>
          Go to <kbd>Ctrl K</kbd>
        </span>
      </button>
      {isOpen && <PaletteDialog close={() => setOpen(false)} />}
    </>
  );
}

function PaletteDialog({ close }: { close(): void }) {
  const address = useAddress();
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const [searched, setSearched] = useState<Searched>({});
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal(); // before the next key is typed
    element?.addEventListener("pointerdown", ({ target }) => target === element && element.close()); // on the backdrop
  }, []);
  useEffect(() => {
    const controller = new AbortController();
    loadSearched(address, controller.signal, (part) => setSearched((before) => ({ ...before, ...part })));
    return () => controller.abort();
  }, []);
  const entries = useMemo(() => entriesFor(typed, searched), [typed, searched]);
  const at = Math.min(chosen, entries.length - 1);
  useEffect(() => dialog.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [at, entries]);
  const take = (entry: Entry | undefined) => {
    if (!entry) return;
    dialog.current?.close();
    entry.go();
  };
  const onKey = (event: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      setChosen(Math.max(0, Math.min(entries.length - 1, to)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(entries[at]);
    }
  };
  return (
    <dialog ref={dialog} class="palette" aria-label="Go to" onClose={close}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-entries"
        aria-autocomplete="list"
        aria-activedescendant={entries.length > 0 ? `palette-${at}` : undefined}
        aria-label="Name or number"
        placeholder="Run, step, token or figure"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKey}
      />
      <div id="palette-entries" role="listbox" aria-label="Places" tabIndex={-1}>
        {entries.map((entry, index) => (
          <div
            key={`${entry.kind} ${entry.name} ${entry.detail} ${index}`}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onPointerMove={() => setChosen(index)}
            onClick={() => take(entry)}
            onKeyDown={onKey}
          >
            <span class="name">{entry.name}</span>
            <small>{entry.detail}</small>
            <span class="tag">{entry.kind}</span>
          </div>
        ))}
      </div>
      <p class="note" role="status">
        {entries.length === 0 ? (searched.shelf ? "Nothing has this name or number." : "Reading the names …") : "↑ ↓ choose, Enter goes, Escape closes"}
      </p>
    </dialog>
  );
}
