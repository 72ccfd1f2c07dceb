import { useEffect } from "preact/hooks";

/** Keys of the page, wherever the focus is, except while something is typed or a control needs the key. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyped(event)) return;
      const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}

/** Elements that a space bar operates. */
const pressed = "button, a, summary, input[type=checkbox]";

function isTyped({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("dialog, select, textarea, [contenteditable], [role=listbox]")) return true;
  if (target instanceof HTMLInputElement && !["range", "checkbox"].includes(target.type)) return true;
  if (key === " ") return target.matches(pressed);
  return ["Home", "End"].includes(key) && target !== document.body && !target.closest(".replay, .pair");
}
