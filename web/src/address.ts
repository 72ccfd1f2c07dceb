import { useLayoutEffect, useMemo, useState } from "preact/hooks";

/** What is shown, as encoded in the address: a link to it shows the same. */
export interface Address {
  /** `runs`, `run`, `pair`, `overlay`, `plan`, `try`. */
  view: string;
  id: string;
  /** The second run of a pair. */
  beside: string;
  query: URLSearchParams;
}

function read(): Address {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", id = "", beside = ""] = path.split("/");
  return { view: view === "" ? "runs" : view, id, beside, query: new URLSearchParams(query) };
}

/** The address of a view. A pair has the ids of two runs, `A/B`. */
export function hrefOf(view: string, id = "", query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${view}${id === "" ? "" : `/${id}`}${text === "" ? "" : `?${text}`}`;
}

/** Change parts of the address without a step of the browser's history; an empty text takes one out. */
export function setQuery(changes: Record<string, string>): void {
  const { view, id, beside, query } = read();
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  history.replaceState(null, "", hrefOf(view, beside === "" ? id : `${id}/${beside}`, Object.fromEntries(query)));
  for (const listener of listeners) listener();
}

/** Follow a token in every picture; null for none. */
export function followInAddress(row: number | null): void {
  setQuery({ token: row === null ? "" : String(row) });
}

const listeners = new Set<() => void>();

/** The address, as it is now. */
export function useAddress(): Address {
  const [hash, setHash] = useState(() => location.hash);
  useLayoutEffect(() => {
    const update = () => setHash(location.hash);
    listeners.add(update);
    window.addEventListener("hashchange", update);
    update(); // the address may have changed before anybody listened
    return () => {
      listeners.delete(update);
      window.removeEventListener("hashchange", update);
    };
  }, []);
  return useMemo(read, [hash]);
}
