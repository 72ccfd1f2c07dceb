import { useEffect, useRef, useState } from "preact/hooks";
import type { DroppedDocument, RunNoteDocument } from "./documents.js";

/** What the server refuses, in its words. */
class ServerError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function checked(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const text = await answer.text();
  let message = text.trim();
  try {
    message = String((JSON.parse(text) as { error?: unknown }).error ?? message);
  } catch {
    // It is a plain text already.
  }
  throw new ServerError(answer.status, message);
}

/** A document of the API. */
export async function getDocument<Document>(path: string, signal?: AbortSignal): Promise<Document> {
  const answer = await checked(await fetch(path, signal ? { signal } : {}));
  return (await answer.json()) as Document;
}

/** A text of the API, such as the drawing of a figure. */
export async function getText(path: string, signal: AbortSignal): Promise<string> {
  return (await checked(await fetch(path, { signal }))).text();
}

/** A text of the API, for which the page waits: before it is printed, nothing can come later. Undefined if the server refuses it. */
export function textAtOnce(path: string): string | undefined {
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  try {
    request.send();
  } catch {
    return undefined; // the server is away
  }
  return request.status === 200 ? request.responseText : undefined;
}

/** Bytes of the API. */
export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await checked(await fetch(path, signal ? { signal } : {}))).arrayBuffer();
}

/** Ask for a stop of a run. */
export async function stopRun(id: string): Promise<void> {
  await checked(await fetch(`/api/runs/${id}/stop`, { method: "POST" }));
}

/** Let the server open an archive. @returns what is in it. */
export async function sendArchive(name: string, archive: Blob): Promise<DroppedDocument> {
  const answer = await checked(await fetch(`/api/archives?${new URLSearchParams({ name })}`, { method: "POST", body: archive }));
  return (await answer.json()) as DroppedDocument;
}

/**
 * Replace the note of a run.
 * @param revision of the note that was shown.
 * @returns the stored note, which is another one if somebody else has changed it meanwhile.
 */
export async function saveNote(id: string, note: string, revision: string): Promise<{ isSaved: boolean; stored: RunNoteDocument }> {
  const answer = await fetch(`/api/runs/${id}/note`, { method: "PUT", body: JSON.stringify({ note, revision }) });
  if (answer.status !== 409) await checked(answer);
  return { isSaved: answer.status !== 409, stored: (await answer.json()) as RunNoteDocument };
}

interface Answer<Value> {
  value: Value | undefined;
  problem: string | undefined;
}

/**
 * An answer of the API, which is asked for again when its address changes, or `turn` does; the one before is shown meanwhile.
 * @param read as `getDocument`.
 * @param pauseMs between two questions for one address.
 */
export function useAnswer<Value>(path: string | null, turn: unknown, read: (path: string, signal: AbortSignal) => Promise<Value>, pauseMs = 0): Answer<Value> {
  const [state, setState] = useState<Answer<Value>>({ value: undefined, problem: undefined });
  const asked = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isWaiting = false;
    let again = false;
    // A slow answer is waited for, and then asked for again: frequent changes would otherwise cut it off for ever.
    const ask = (): void => {
      again = isWaiting;
      if (isWaiting) return;
      isWaiting = true;
      const answered = read(path, controller.signal).then(
        (value) => setState({ value, problem: undefined }),
        (error: unknown) => {
          if (controller.signal.aborted) return;
          setState(({ value }) => (value !== undefined && isOfConnection(error) ? { value, problem: undefined } : { value, problem: wordsOf(error) }));
        },
      );
      void answered.then(() => {
        timer = setTimeout(() => {
          isWaiting = false;
          if (again) ask();
        }, pauseMs);
        if (controller.signal.aborted) clearTimeout(timer);
      });
    };
    asked.current = ask;
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [path, read, pauseMs]);
  useEffect(() => asked.current?.(), [path, read, pauseMs, turn]);
  return state;
}

/** A document of the API, as `useAnswer` asks for it. */
export function useDocument<Document>(path: string | null, turn: unknown = 0): { document: Document | undefined; problem: string | undefined } {
  const { value, problem } = useAnswer<Document>(path, turn, getDocument);
  return { document: value, problem };
}

/** Whether the server is away or does not know this browser, which the page reports once for all its parts. */
function isOfConnection(error: unknown): boolean {
  return !(error instanceof ServerError) || error.status === 401;
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  if (error instanceof ServerError) return error.message;
  return "The server does not answer. It may have ended: start it again with  bh-bridge serve";
}
