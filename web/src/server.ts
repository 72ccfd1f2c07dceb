import { useEffect, useState } from "preact/hooks";
import type { DroppedDocument } from "./documents.js";

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

/** Bytes of the API. */
export async function getBytes(path: string, signal: AbortSignal): Promise<ArrayBuffer> {
  return (await checked(await fetch(path, { signal }))).arrayBuffer();
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

/** A document that is asked for again when its address changes, or `turn` does; the one before is shown meanwhile. */
export function useDocument<Document>(path: string | null, turn: unknown = 0): { document: Document | undefined; problem: string | undefined } {
  const [state, setState] = useState<{ path: string | null; document: Document | undefined; problem: string | undefined }>({
    path: null,
    document: undefined,
    problem: undefined,
  });
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    getDocument<Document>(path, controller.signal).then(
      (document) => setState({ path, document, problem: undefined }),
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setState((before) => ({ path, document: before.document, problem: wordsOf(error) }));
      },
    );
    return () => controller.abort();
  }, [path, turn]);
  return state;
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  if (error instanceof ServerError) return error.message;
  return "The server does not answer. It may have ended: start it again with  bh-bridge serve";
}
