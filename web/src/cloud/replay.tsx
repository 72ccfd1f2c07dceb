import "./replay.css";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { tokenName } from "../../../src/text/names.js";
import { stateOfStep } from "../../replay/replayed.js";
import { Stage } from "../../replay/stage.js";
import { Transport } from "../../replay/transport.js";
import { useCloud } from "../../replay/use-cloud.js";
import { type HoveredToken, type StepCursor, useSettled, useShared } from "../../shared/step-cursor.js";
import { followInAddress, setQuery, useAddress } from "../address.js";
import type { BasisDocument, HistoryDocument, RowPathDocument } from "../documents.js";
import { ExportButton } from "../export/export-dialog.js";
import { shown } from "../figures.js";
import { useDocument } from "../server.js";
import { useTheme } from "../theme.js";
import { BitsPanel } from "./bits-panel.js";
import { HolesPanel } from "./holes-panel.js";
import { KeyHelp } from "./key-help.js";
import { useStates } from "./states.js";
import { TokenPanel } from "./token-panel.js";
import { useCamera } from "./use-camera.js";
import { useKeys } from "./use-keys.js";

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
  /** Whether the run is training. */
  isLive: boolean;
}

/** The cloud of a run's embedding at any recorded step: exact bits, one basis for the whole path. */
export function Replay({ name, history, basis, cursor, hovered, drawn, followed, isLive }: ReplayProps) {
  const { states: count, steps } = history;
  const stepOf = (state: number) => steps?.[state] ?? state;
  const step = useShared(cursor);
  const state = step === null ? count - 1 : stateOfStep(steps, step, count);
  const [isPlaying, setPlaying] = useState(false);
  const [isTouring, setTouring] = useState(false);
  const [isTurning, setTurning] = useState(false);
  const [speed, setSpeed] = useState(60);
  const search = useRef<HTMLInputElement>(null);
  const camera = useCamera(basis);
  const { document: way } = useDocument<RowPathDocument>(followed === null ? null : `/api/runs/${history.id}/path?row=${followed}&points=400`, count);
  const nameOf = (row: number) => tokenName(history.ids?.[row] ?? row, history.texts[row]);
  const states = useStates(history);
  const { isDark } = useTheme();
  const follow = followInAddress;
  const cloud = useCloud({
    history,
    states,
    nameOf,
    follow,
    isDark,
    basis,
    camera,
    isTurning,
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
  const { shownState, holes, bits, fitHole, resetView } = cloud;
  useEffect(() => {
    if (drawn && step === null) drawn.value = stepOf(shownState);
  }, [drawn, step, shownState]);
  const pointed = useShared(hovered);
  const opened = useOpenedRow(history, holes, followed);
  const go = (next: number) => {
    cursor.value = stepOf(Math.max(0, Math.min(count - 1, next)));
  };
  const play = () => {
    if (!isPlaying && state >= count - 1) go(0);
    setPlaying(!isPlaying);
  };
  const newest = () => {
    setPlaying(false);
    cursor.value = null;
  };
  const tour = () => setTouring(!isTouring);
  const fit = () => fitHole(opened);
  useKeys({
    " ": play,
    ",": () => go(state - 1),
    ".": () => go(state + 1),
    Home: () => go(0),
    End: () => go(count - 1),
    n: newest,
    f: fit,
    t: tour,
    r: resetView,
    "/": () => search.current?.focus(),
    Escape: () => follow(null),
  });
  const shownStep = shown(stepOf(shownState));
  const bitsPanel = useCalm({ bits, holes, row: opened, step: shownStep }, isPlaying);
  return (
    <section class="replay" aria-label="Replay">
      <h2 class="visually-hidden">Replay</h2>
      <Stage {...cloud} tokens={history.tokens} step={shownStep} hovered={pointed === null ? undefined : nameOf(pointed)}>
        {isLive && <PinBadge cursor={cursor} newest={stepOf(count - 1)} follow={newest} />}
      </Stage>
      <Transport hasKeys {...{ count, state, isPlaying, speed, play, go, setSpeed, resetView }} tour={{ isOn: isTouring, toggle: tour }} step={stepOf(state)}>
        <button type="button" aria-pressed={isTurning} onClick={() => setTurning(!isTurning)} title="A drag turns the picture, as it does with Shift">
          Turn
        </button>
        <button type="button" onClick={fit} title="Show the black hole of the followed token, or the largest one, with its nearest rows (f)">
          Fit hole
        </button>
        <ExportButton
          views={() => [{ name, history, basis, camera, followed, way }]}
          steps={steps ?? Array.from({ length: count }, (_, each) => each)}
          step={stepOf(state)}
        />
        <KeyHelp />
      </Transport>
      <div class="beside">
        <HolesPanel holes={holes} opened={opened === null ? 0 : (holes?.hole[opened] ?? 0)} open={(row) => setQuery({ hole: String(row) })} nameOf={nameOf} />
        <TokenPanel history={history} followed={followed} follow={follow} holes={holes} nameOf={nameOf} input={search} />
      </div>
      <BitsPanel history={history} {...bitsPanel} nameOf={nameOf} follow={follow} />
    </section>
  );
}

/** A value that changes at most eight times a second while something plays. */
function useCalm<Value>(value: Value, isPlaying: boolean): Value {
  const kept = useRef({ value, at: 0 });
  const now = performance.now();
  if (!isPlaying || now - kept.current.at > 125) kept.current = { value, at: now };
  return kept.current.value;
}

/** The row whose black hole is opened: that of the address, else the followed token, else the largest black hole. */
function useOpenedRow({ tokens }: HistoryDocument, holes: ReturnType<typeof useCloud>["holes"], followed: number | null): number | null {
  const chosen = useAddress().query.get("hole");
  return useMemo(() => {
    const row = chosen !== null && /^\d+$/.test(chosen) && Number(chosen) < tokens ? Number(chosen) : null;
    const largest = holes?.hole.indexOf(1) ?? -1;
    return row ?? followed ?? (largest < 0 ? null : largest);
  }, [chosen, tokens, holes, followed]);
}

/** Tells that a live run is not followed, and follows it again. */
function PinBadge({ cursor, newest, follow }: { cursor: StepCursor; newest: number; follow(): void }) {
  const pinned = useSettled(cursor);
  if (pinned === null) return null;
  return (
    <span class="pinned" data-testid="pinned">
      Pinned at {shown(pinned)}, live {shown(newest)}
      <button type="button" class="small" onClick={follow} title="Follow the newest step (n)">
        Follow
      </button>
    </span>
  );
}
