import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveChange } from "./documents.js";

type Listener = (change: LiveChange) => void;

const listeners = new Set<Listener>();
const watchers = new Set<(isConnected: boolean) => void>();
let source: EventSource | undefined;
let isConnected = true;

/** What is only photographed or printed is done by then: a browser without a screen calls no page complete while a stream of it is open. */
const streamsAfterMs = 10_000;
const openedAt = performance.now();
const isYoung = () => performance.now() - openedAt < streamsAfterMs;

/** One stream for the whole page. The browser reconnects by itself, and says which change it saw last. */
function connect(): void {
  if (isYoung()) return;
  const isFirst = source === undefined;
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource("/api/changes");
  source.onopen = () => {
    tell(true);
    if (isFirst) hear({ kind: "everything" }); // what changed between the last look and the stream
  };
  source.onerror = () => tell(false);
  source.onmessage = ({ data }) => {
    hear(JSON.parse(data) as LiveChange);
  };
}

function hear(change: LiveChange): void {
  for (const listener of listeners) listener(change);
}

function tell(connected: boolean): void {
  isConnected = connected;
  for (const watch of watchers) watch(connected);
}

// A machine that wakes up has a connection that only looks alive; and a stream that the server refused is not tried again by the browser.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connect();
});
setInterval(() => {
  if (listeners.size === 0) return;
  if (isYoung()) hear({ kind: "everything" });
  else connect();
}, 2000);

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
export function useIsConnected(): boolean {
  const [connected, setConnected] = useState(isConnected);
  useEffect(() => {
    watchers.add(setConnected);
    return () => {
      watchers.delete(setConnected);
    };
  }, []);
  return connected;
}
