import { type ComponentChildren, render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ReplayedRun } from "../../src/report/page.js";
import { Camera } from "../replay/camera.js";
import type { HoleMarks } from "../replay/holes.js";
import { type ReplayedBasis, stateOfStep } from "../replay/replayed.js";
import { Stage } from "../replay/stage.js";
import { TokenSearch } from "../replay/token-field.js";
import { Transport } from "../replay/transport.js";
import { useCloud } from "../replay/use-cloud.js";
import { type HoveredToken, Shared, type StepCursor, useShared } from "../shared/step-cursor.js";
import { shown } from "../src/figures.js";
import { type FramedReplay, framedReplay } from "./frames.js";

/** Frames a second, at first. */
export const usualSpeed = 30;

/** Put the replay of runs, one at a time, into an element. */
export function addReplay(host: HTMLElement, runs: readonly ReplayedRun[], cursor: StepCursor): void {
  host.replaceChildren();
  render(<ReplayOfRuns runs={runs} cursor={cursor} />, host);
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Whether the reader's system is dark, as it is now. */
function useDark(): boolean {
  const [isDark, setDark] = useState(dark.matches);
  useEffect(() => {
    const update = () => setDark(dark.matches);
    dark.addEventListener("change", update);
    return () => dark.removeEventListener("change", update);
  }, []);
  return isDark;
}

/** The key frames of a run, once they are unpacked. */
export function useFrames(run: ReplayedRun | undefined): FramedReplay | undefined {
  const [found, setFound] = useState<{ run: ReplayedRun; replay: FramedReplay }>();
  useEffect(() => {
    if (!run) return;
    let isWanted = true;
    void framedReplay(run.frames, run.label).then((replay) => {
      if (isWanted) setFound({ run, replay });
    });
    return () => {
      isWanted = false;
    };
  }, [run]);
  return found && found.run === run ? found.replay : undefined;
}

interface FrameInput {
  readonly replay: FramedReplay;
  readonly camera: Camera;
  readonly hovered: HoveredToken;
  readonly step: number;
  readonly followed: number | null;
  readonly isPlaying?: boolean;
  readonly speed?: number;
  follow(row: number | null): void;
  onState?(state: number): void;
}

/** The cloud of a run at its last key frame up to a step. */
export function useFrameCloud({ replay, step, followed, isPlaying = false, speed = 0, onState = () => undefined, ...input }: FrameInput) {
  const { history, basis, states, nameOf } = replay;
  const state = stateOfStep(history.steps, step, history.states);
  const way = useMemo(() => (followed === null ? undefined : states.path(followed)), [states, followed]);
  return useCloud({ ...input, history, basis, states, nameOf, state, followed, way, isPlaying, speed, onState, isDark: useDark() });
}

/** What pictures with one basis share: the camera and the token below the pointer. */
export function usePointing(basis: ReplayedBasis): { camera: Camera; hovered: HoveredToken } {
  const camera = useMemo(() => new Camera(basis), [basis]);
  const hovered = useMemo(() => new Shared<number | null>(null), []);
  return { camera, hovered };
}

/** The counts of a frame in words. */
export function Counts({ step, tokens, holes }: { step: number; tokens: number; holes: HoleMarks | undefined }) {
  const populations = holes?.populations ?? [];
  const inHoles = populations.reduce((sum, population) => sum + population, 0);
  const [C, P, distinct] = [populations.length, inHoles, tokens - inHoles + populations.length].map((count) => count.toLocaleString("en"));
  return <output>{holes && `step ${step.toLocaleString("en")}: C = ${C}, P = ${P}, ${distinct} distinct`}</output>;
}

interface FollowProps {
  readonly replay: FramedReplay;
  readonly followed: number | null;
  follow(row: number | null): void;
  /** What is known of the followed token. */
  readonly children?: ComponentChildren;
}

/** The field for the token to follow, with its name. */
export function Follow({ replay: { history, nameOf }, followed, follow, children }: FollowProps) {
  return (
    <div class="follow">
      <TokenSearch history={history} follow={follow} nameOf={nameOf} />
      <p class="followed">
        {followed === null ? (
          "Click a point, or name a token, to follow it."
        ) : (
          <>
            <code>{nameOf(followed)}</code> {history.dead.includes(followed) ? "not in the text" : "in the text"}
            {children}{" "}
            <button type="button" onClick={() => follow(null)}>
              Let go
            </button>
          </>
        )}
      </p>
    </div>
  );
}

/** The choice of a run by its label. */
export function RunChoice({ name, runs, chosen, choose }: { name: string; runs: readonly ReplayedRun[]; chosen: number; choose(index: number): void }) {
  return (
    <select aria-label={name} value={chosen} onChange={(event) => choose(Number(event.currentTarget.value))}>
      {runs.map(({ label }, index) => (
        <option key={label} value={index}>
          {label}
        </option>
      ))}
    </select>
  );
}

function ReplayOfRuns({ runs, cursor }: { runs: readonly ReplayedRun[]; cursor: StepCursor }) {
  const [chosen, setChosen] = useState(0);
  const replay = useFrames(runs[chosen]);
  return (
    <>
      {runs.length > 1 && <RunChoice name="Run" runs={runs} chosen={chosen} choose={setChosen} />}
      {replay && <ReplayOfRun key={chosen} replay={replay} cursor={cursor} />}
    </>
  );
}

/** Key frames of a run. The replay follows the cursor of the page and moves it; without a step, it shows the last frame. */
function ReplayOfRun({ replay, cursor }: { replay: FramedReplay; cursor: StepCursor }) {
  const { history, nameOf } = replay;
  const last = history.states - 1;
  const stepOf = (state: number) => history.steps?.[state] ?? state;
  const step = useShared(cursor) ?? stepOf(last);
  const state = stateOfStep(history.steps, step, history.states);
  const [followed, follow] = useState<number | null>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(usualSpeed);
  const { camera, hovered } = usePointing(replay.basis);
  const go = (next: number) => {
    cursor.value = stepOf(Math.max(0, Math.min(last, next)));
  };
  const onState = (next: number) => {
    go(next);
    if (next >= last) setPlaying(false);
  };
  const cloud = useFrameCloud({ replay, camera, hovered, step, followed, follow, isPlaying, speed, onState });
  const play = () => {
    if (!isPlaying && state >= last) go(0);
    setPlaying(!isPlaying);
  };
  const pointed = useShared(hovered);
  const shownStep = stepOf(cloud.shownState);
  return (
    <>
      <Stage {...cloud} tokens={history.tokens} step={shown(shownStep)} hovered={pointed === null ? undefined : nameOf(pointed)} />
      <Transport {...{ state, isPlaying, speed, play, go, setSpeed }} count={history.states} step={stepOf(state)} resetView={cloud.resetView}>
        <button
          type="button"
          onClick={() => cloud.fitHole(followed)}
          title="Show the black hole of the followed token, or the largest one, with its nearest rows"
        >
          Fit hole
        </button>
        <Counts step={shownStep} tokens={history.tokens} holes={cloud.holes} />
      </Transport>
      <Follow {...{ replay, followed, follow }} />
    </>
  );
}
