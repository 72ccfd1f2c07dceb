import { useEffect, useRef, useState } from "preact/hooks";
import type { OutlinesDocument, RunOutline, ServedRunRow } from "../documents.js";
import { getDocument } from "../server.js";

/** Runs per request: each may take the server some milliseconds. */
const batch = 40;

/** Verdict and P over steps of the listed runs, which arrive after the rows. A run is asked for again when it has taken steps or ended. */
export function useOutlines(runs: readonly ServedRunRow[]): ReadonlyMap<string, RunOutline> {
  const known = useRef(new Map<string, { mark: string; outline: RunOutline | undefined }>());
  const [outlines, setOutlines] = useState<ReadonlyMap<string, RunOutline>>(new Map());
  const marks = runs.map(markOf).join();
  useEffect(() => {
    const controller = new AbortController();
    const fetchDue = async () => {
      for (;;) {
        const due = runs.filter((run) => known.current.get(run.id)?.mark !== markOf(run)).slice(0, batch);
        if (due.length === 0) return;
        const document = await getDocument<OutlinesDocument>(`/api/outlines?runs=${due.map(({ id }) => id).join(",")}`, controller.signal);
        for (const run of due) known.current.set(run.id, { mark: markOf(run), outline: document.outlines.find(({ id }) => id === run.id) });
        setOutlines(new Map([...known.current].flatMap(([id, { outline }]) => (outline ? [[id, outline]] : []))));
      }
    };
    fetchDue().catch(() => undefined); // without them the rows are complete enough
    return () => controller.abort();
  }, [marks]);
  return outlines;
}

/** Changes when an outline may have changed. */
function markOf({ id, status, steps }: ServedRunRow): string {
  return `${id} ${status} ${steps?.done ?? 0}`;
}
