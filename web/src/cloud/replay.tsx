import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { tokenName } from "../../../src/text/names.js";
import { stageMarks } from "../../replay/stage-text.js";
import { type HoveredToken, type StepCursor, useShared } from "../chart/step-cursor.js";
import type { BasisDocument, CensusOfStateDocument, HistoryDocument, RowPathDocument } from "../documents.js";
import { ExportButton } from "../export/export-dialog.js";
import { shown } from "../figures.js";
import { getDocument, useDocument } from "../server.js";
import { HolesPanel, Mark, TokenPanel } from "./replay-panels.js";
import { stateOfStep } from "./states.js";
import { useCloud } from "./use-cloud.js";
import { Camera } from "./view-angle.js";

interface ReplayProps {
  /** Name of the run. */
  name: string;
  history: HistoryDocument;
  basis: BasisDocument;
  cursor: StepCursor;
  hovered: HoveredToken;
  /** Receives the newest step that is drawn, while the cursor follows the training. */
  drawn?: StepCursor;
  /** The token that is followed, from the address. */
  followed: number | null;
}

/** States a second. */
const speeds = [5, 15, 30, 60, 240, 960];

/** The cloud of a run's embedding at any recorded step: exact bits, one basis for the whole path. */
export function Replay({ name, history, basis, cursor, hovered, drawn, followed }: ReplayProps) {
  const { states: count, steps } = history;
  const stepOf = (state: number) => steps?.[state] ?? state;
  const step = useShared(cursor);
  const state = step === null ? count - 1 : stateOfStep(steps, step, count);
  const [isPlaying, setPlaying] = useState(false);
  const [isTouring, setTouring] = useState(false);
  const [speed, setSpeed] = useState(60);
  const { document: way } = useDocument<RowPathDocument>(followed === null ? null : `/api/runs/${history.id}/path?row=${followed}&points=400`, count);
  const camera = useMemo(() => new Camera(basis), [basis]);
  const { canvas, overlay, problem, shownState, holes, follow, resetView } = useCloud({
    history,
    basis,
    camera,
    state,
    followed,
    hovered,
    way: way?.row === followed ? way : undefined,
    isPlaying,
    isTouring,
    speed,
    onState: (next) => {
      cursor.value = stepOf(next);
      if (next >= count - 1) setPlaying(false);
    },
  });
  useEffect(() => {
    if (drawn && step === null) drawn.value = stepOf(shownState);
  }, [drawn, step, shownState]);
  const pointed = useShared(hovered);
  const census = useCensus(history.id, shownState, isPlaying);
  const go = (next: number) => {
    cursor.value = stepOf(Math.max(0, Math.min(count - 1, next)));
  };
  const play = () => {
    if (!isPlaying && state >= count - 1) go(0);
    setPlaying(!isPlaying);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement && event.target.type !== "range") return;
    if (event.target instanceof HTMLButtonElement && event.key === " ") return;
    const keys: Record<string, () => void> = {
      " ": play,
      ",": () => go(state - 1),
      ".": () => go(state + 1),
      Home: () => go(0),
      End: () => go(count - 1),
      t: () => setTouring((is) => !is),
      r: resetView,
      Escape: () => follow(null),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const nameOf = (row: number) => tokenName(history.ids?.[row] ?? row, history.texts[row]);
  return (
    <section class="replay" aria-label="Replay" onKeyDown={onKey}>
      <Stage
        {...{ canvas, overlay, problem }}
        tokens={history.tokens}
        step={shown(stepOf(shownState))}
        hovered={pointed === null ? undefined : nameOf(pointed)}
      />
      <Transport {...{ count, state, isPlaying, isTouring, speed, play, go, setSpeed, resetView }} step={stepOf(state)} tour={() => setTouring(!isTouring)}>
        <ExportButton
          views={() => [{ name, history, basis, camera, followed, way }]}
          steps={steps ?? Array.from({ length: count }, (_, each) => each)}
          step={stepOf(state)}
        />
      </Transport>
      <div class="beside">
        <HolesPanel holes={holes} census={census} nameOf={(token) => tokenName(token, history.texts[history.ids?.indexOf(token) ?? token])} />
        <TokenPanel history={history} followed={followed} follow={follow} holes={holes} nameOf={nameOf} />
      </div>
    </section>
  );
}

interface StageProps extends Pick<ReturnType<typeof useCloud>, "canvas" | "overlay" | "problem"> {
  tokens: number;
  step: string;
  /** Name of the token below the pointer. */
  hovered: string | undefined;
}

/** The cloud itself, with the step and the marks in its corners. */
export function Stage({ canvas, overlay, problem, tokens, step, hovered }: StageProps) {
  return (
    <div class="stage">
      {problem ? (
        <p class="problem">{problem}</p>
      ) : (
        <>
          <canvas ref={canvas} role="img" aria-label={`Cloud of ${tokens} tokens after step ${step}`} />
          <canvas ref={overlay} class="labels" />
          <p class="corner">
            step <b data-testid="step">{step}</b>
            {hovered !== undefined && <span> · {hovered}</span>}
          </p>
          <ul class="key" aria-label="Marks">
            {stageMarks.map(({ kind, text }) => (
              <li key={kind}>
                <Mark kind={kind} /> {text}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

interface TransportProps {
  /** Number of recorded states, and the one that is shown. */
  count: number;
  state: number;
  step: number;
  isPlaying: boolean;
  isTouring: boolean;
  speed: number;
  play(): void;
  go(state: number): void;
  setSpeed(speed: number): void;
  tour(): void;
  resetView(): void;
  /** Further buttons. */
  children?: ComponentChildren;
}

/** The buttons and the scrubber below the cloud. */
export function Transport({ count, state, step, isPlaying, isTouring, speed, play, go, setSpeed, tour, resetView, children }: TransportProps) {
  return (
    <div class="transport">
      <button type="button" class="primary" onClick={play} aria-label={isPlaying ? "Pause" : "Play"} title="Space">
        {isPlaying ? "❚❚" : "▶"}
      </button>
      <button type="button" onClick={() => go(state - 1)} aria-label="One state back" title=",">
        ‹
      </button>
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={`step ${step}`}
        min={0}
        max={count - 1}
        value={state}
        onInput={(event) => go(Number(event.currentTarget.value))}
      />
      <button type="button" onClick={() => go(state + 1)} aria-label="One state on" title=".">
        ›
      </button>
      <label>
        <span class="visually-hidden">States a second</span>
        <select value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))} title="States a second">
          {speeds.map((each) => (
            <option key={each} value={each}>
              {each} / s
            </option>
          ))}
        </select>
      </label>
      <button type="button" aria-pressed={isTouring} onClick={tour} title="Go through the other dimensions (t)">
        Tour
      </button>
      <button type="button" onClick={resetView} title="The first principal directions again (r)">
        Reset view
      </button>
      {children}
    </div>
  );
}

/** The census of a state, once it has been looked at for a moment. */
function useCensus(id: string, state: number, isPlaying: boolean): CensusOfStateDocument | undefined {
  const [census, setCensus] = useState<CensusOfStateDocument>();
  useEffect(() => {
    if (isPlaying) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      getDocument<CensusOfStateDocument>(`/api/runs/${id}/census?state=${state}`, controller.signal).then(setCensus, () => undefined);
    }, 150);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [id, state, isPlaying]);
  return census?.state === state ? census : undefined;
}
