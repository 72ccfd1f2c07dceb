import { useRef, useState } from "preact/hooks";
import { type StepCursor, useShared } from "../../shared/step-cursor.js";
import { setQuery, useAddress } from "../address.js";
import { Status } from "../controls.js";
import type { ServedRunDocument } from "../documents.js";
import { duration, shown } from "../figures.js";
import { stopRun, wordsOf } from "../server.js";
import { useTitle } from "../title.js";
import { NoteEditor } from "./note-editor.js";
import "./run-head.css";

/** The name of the tab: how far a running training is, afterwards what came out. */
function titleOf({ name, status, steps, result }: ServedRunDocument, step: number): string {
  if (status === "running" && steps) return `${step}/${steps.planned} · ${name}`;
  return `${result?.verdict.result ?? status} · ${name}`;
}

interface RunHeadProps {
  run: ServedRunDocument;
  /** The newest step. */
  step: number;
  cursor: StepCursor;
  /** The newest step that the stage has drawn. */
  drawn: StepCursor;
}

/** What a run is, how far it is, and its verdict. While the stage follows the training, its step is that of the stage. */
export function RunHead({ run, step: newest, cursor, drawn }: RunHeadProps) {
  const isFollowing = useShared(cursor) === null;
  const stage = useShared(drawn);
  const step = isFollowing && stage !== null ? stage : newest;
  useTitle(titleOf(run, step));
  const result = run.result;
  return (
    <header class="head">
      <div>
        <h1>{run.name}</h1>
        <p class="sub">
          <Status status={run.status} />
          {run.reason && <span>{run.reason}</span>}
          <span>{run.preset}</span>
          {run.seed !== null && <span>seed {run.seed}</span>}
          <span title="Hash of the configuration">{run.configHash?.slice(0, 8)}</span>
          {run.status !== "running" && run.status !== "foreign" && <span>{duration(run.seconds)}</span>}
        </p>
        {run.steps && (
          <p class="progress">
            <progress value={step} max={run.steps.planned} aria-label="Steps" />{" "}
            <span data-testid="progress">
              {shown(step)} of {shown(run.steps.planned)} steps
            </span>
          </p>
        )}
        <NoteEditor id={run.id} note={run.note}>
          <BaselineButton id={run.id} />
        </NoteEditor>
      </div>
      {result && (
        <div class={`judged ${result.verdict.result}`}>
          <b>{result.verdict.result}</b>
          <p>{result.verdict.reason}</p>
        </div>
      )}
      {run.status === "running" && <StopButton id={run.id} name={run.name} />}
    </header>
  );
}

function BaselineButton({ id }: { id: string }) {
  const isBaseline = useAddress().query.get("baseline") === id;
  return (
    <button
      type="button"
      class="small"
      aria-pressed={isBaseline}
      title="The list and the other runs show their differences from the baseline"
      onClick={() => setQuery({ baseline: isBaseline ? "" : id })}
    >
      {isBaseline ? "Baseline" : "Set as baseline"}
    </button>
  );
}

function StopButton({ id, name }: { id: string; name: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [said, setSaid] = useState("");
  const stop = async () => {
    dialog.current?.close();
    try {
      await stopRun(id);
      setSaid("It stops after this step, with a checkpoint");
    } catch (error) {
      setSaid(wordsOf(error));
    }
  };
  return (
    <div class="stop">
      <button type="button" class="danger" onClick={() => dialog.current?.showModal()} disabled={said !== ""}>
        Stop …
      </button>
      <p role="status">{said}</p>
      <dialog ref={dialog} aria-label="Stop this run?">
        <h3>Stop {name}?</h3>
        <p>The training stops after the current step and saves a checkpoint. You can resume it to the same bits.</p>
        <form method="dialog">
          <button type="submit">Let it train</button>
          <button type="button" class="danger" onClick={() => void stop()}>
            Stop it
          </button>
        </form>
      </dialog>
    </div>
  );
}
