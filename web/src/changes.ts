import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveChange } from "./documents.js";

type Listener = (change: LiveChange) => void;

/** `away`: the server does not answer. `refused`: it answers, but does not know this browser, because it was restarted. */
export type Connection = "connected" | "away" | "refused";

const listeners = new Set<Listener>();
const watchers = new Set<(connection: Connection) => void>();
let source: EventSource | undefined;
let connection: Connection = "connected";
let heardAt = performance.now();

/** A browser without a screen, which takes a picture or prints, considers no page complete while a stream of it is open. */
const streamsAfterMs = 10_000;
const openedAt = performance.now();
const isYoung = () => performance.now() - openedAt < streamsAfterMs;
const refreshMs = 2000;

/** The server sends a beat every half second. After a longer silence it is asked, so that a stop is reported within two seconds. */
const silenceMs = 1100;
const answerMs = 850;
const lookMs = 250;
/** Longest silence of a server that computes. */
const busyMs = 15_000;
/** Interval of questions while the server is away. */
const retryMs = 1000;
let askedAt = Number.NEGATIVE_INFINITY;
let isAsking = false;

/** One stream for the whole page. The browser reconnects by itself, and names the last change that it received. */
function connect(): void {
  if (isYoung()) return;
  const isFirst = source === undefined;
  if (source && source.readyState !== EventSource.CLOSED) return;
  const made = new EventSource("/api/changes");
  source = made;
  made.onopen = () => {
    heard();
    if (isFirst) hear({ kind: "everything" }); // changes between the last look and the stream
  };
  made.onerror = () => void ask();
  made.onmessage = ({ data }) => {
    heard();
    hear(JSON.parse(data) as LiveChange);
  };
  made.addEventListener("beat", heard);
}

function heard(): void {
  heardAt = performance.now();
  become("connected");
}

/** Ask whether the server is there, and knows this browser. */
async function ask(): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  askedAt = performance.now();
  try {
    const { status } = await fetch("/icon.svg", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(answerMs) });
    if (status === 401 || status === 403) become("refused");
    else heard();
  } catch (error) {
    // A closed port is certain at once. A late answer can come from a busy server, so it takes longer to count as none.
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    if (!isLate || performance.now() - heardAt > busyMs) become("away");
  } finally {
    isAsking = false;
  }
}

function hear(change: LiveChange): void {
  for (const listener of listeners) listener(change);
}

function become(next: Connection): void {
  if (connection === next) return;
  connection = next;
  for (const watch of watchers) watch(next);
  if (next === "connected") hear({ kind: "everything" }); // requests have failed meanwhile
}

// After sleep, a machine has a connection that only looks alive. The browser does not retry a stream that the server refused.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connect();
});
setInterval(() => {
  const now = performance.now();
  if (now - heardAt > silenceMs && (connection === "connected" || now - askedAt > retryMs)) void ask();
}, lookMs);
setInterval(() => {
  if (listeners.size === 0 || connection !== "connected") return;
  if (isYoung()) hear({ kind: "everything" });
  else connect();
}, refreshMs);

/** Hear of every change. */
export function useChanges(listener: Listener): void {
  const newest = useRef(listener);
  newest.current = listener;
  useEffect(() => {
    const own: Listener = (change) => newest.current(change);
    listeners.add(own);
    connect();
    return () => {
      listeners.delete(own);
    };
  }, []);
}

/** Whether the server is there. */
export function useConnection(): Connection {
  const [shown, setShown] = useState(connection);
  useEffect(() => {
    setShown(connection);
    watchers.add(setShown);
    return () => {
      watchers.delete(setShown);
    };
  }, []);
  return shown;
}
