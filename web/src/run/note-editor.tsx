import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunNoteDocument } from "../documents.js";
import { saveNote, useDocument, wordsOf } from "../server.js";
import "./run-head.css";

interface NoteEditorProps {
  id: string;
  /** As the run was read last, which shows changes by others. */
  note: string | null;
  /** Buttons beside the one that opens the form. */
  children: ComponentChildren;
}

/** The note of a run, and a form to change it. */
export function NoteEditor({ id, note, children }: NoteEditorProps) {
  const [turn, setTurn] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const { document: stored } = useDocument<RunNoteDocument>(`/api/runs/${id}/note`, `${note} ${turn}`);
  if (isOpen && stored) {
    return (
      <NoteForm
        stored={stored}
        close={() => {
          setOpen(false);
          setTurn((before) => before + 1);
        }}
      />
    );
  }
  const text = stored ? stored.note : note;
  return (
    <div class="note-line">
      {text === null ? null : <span class="note-text">{text}</span>}
      <button type="button" class="small" disabled={stored?.locked !== null} title={stored?.locked ?? ""} onClick={() => setOpen(true)}>
        {text === null ? "Add a note" : "Edit note"}
      </button>
      {children}
    </div>
  );
}

/** Starts from the stored note. What is typed stays until it is saved, whatever happens to the file meanwhile. */
function NoteForm({ stored, close }: { stored: RunNoteDocument; close(): void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const [base, setBase] = useState(stored);
  const [text, setText] = useState(stored.note ?? "");
  const [conflict, setConflict] = useState<RunNoteDocument>();
  const [problem, setProblem] = useState("");
  const save = async (revision: string) => {
    setProblem("");
    try {
      const { isSaved, stored: current } = await saveNote(base.id, text, revision);
      if (isSaved) close();
      else setConflict(current);
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  return (
    <form
      class="note-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save(base.revision);
      }}
    >
      <label>
        <span>Note</span>
        <textarea
          rows={3}
          value={text}
          ref={field}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && close()}
        />
      </label>
      {conflict && (
        <div class="conflict" role="alert">
          <p>The note was changed meanwhile. It is now:</p>
          <blockquote>{conflict.note ?? "(no note)"}</blockquote>
          <button type="button" onClick={() => void save(conflict.revision)}>
            Replace it by mine
          </button>
          <button
            type="button"
            onClick={() => {
              setBase(conflict);
              setText(conflict.note ?? "");
              setConflict(undefined);
            }}
          >
            Use this one
          </button>
        </div>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="note-buttons">
        <button type="submit" class="primary" disabled={conflict !== undefined}>
          Save note
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}
