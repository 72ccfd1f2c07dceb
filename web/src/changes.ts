import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveChange } from "./documents.js";

type Listener = (change: LiveChange) => void;

const listeners = new Set<Listener>();
const watchers = new Set<(isConnected: boolean) => void>();
let source: EventSource | undefined;
let isConnected = true;

/** One stream for the whole page. The browser reconnects by itself, and says which change it saw last. */
function connect(): void {
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource("/api/changes");
  source.onopen = () => tell(true);
  source.onerror = () => tell(false);
  source.onmessage = ({ data }) => {
    const change = JSON.parse(data) as LiveChange;
    for (const listener of listeners) listener(change);
  };
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
  if (listeners.size > 0) connect();
}, 5000);

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
