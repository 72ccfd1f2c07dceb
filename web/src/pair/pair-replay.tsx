import "../../replay/pair.css";
import { useMemo, useRef, useState } from "preact/hooks";
import { tokenName } from "../../../src/text/names.js";
import type { Camera } from "../../replay/camera.js";
import type { HoleMarks } from "../../replay/holes.js";
import { stepsOfBoth } from "../../replay/pair-steps.js";
import { stateOfStep } from "../../replay/replayed.js";
import { Marks, Stage } from "../../replay/stage.js";
import { TokenSearch } from "../../replay/token-field.js";
import { Transport } from "../../replay/transport.js";
import { useCloud } from "../../replay/use-cloud.js";
import { usePlayback } from "../../replay/use-playback.js";
import { type HoveredToken, Shared, type StepCursor, useShared } from "../../shared/step-cursor.js";
import { followInAddress, hrefOf } from "../address.js";
import { KeyHelp } from "../cloud/key-help.js";
import { useStates } from "../cloud/states.js";
import { useCamera } from "../cloud/use-camera.js";
import { useKeys } from "../cloud/use-keys.js";
import type { BasisDocument, HistoryDocument, RowPathDocument } from "../documents.js";
import { ExportButton } from "../export/export-dialog.js";
import { shown } from "../figures.js";
import { useDocument } from "../server.js";
import { useTheme } from "../theme.js";

/** A run of a pair. */
interface PairedRun {
  id: string;
  name: string;
  history: HistoryDocument;
}

interface PairReplayProps {
  runs: readonly [PairedRun, PairedRun];
  /** The basis that both share. */
  basis: BasisDocument;
  cursor: StepCursor;
  followed: number | null;
}

/** The embeddings of two runs at one step, in one basis and from one camera, with the same token marked in both. */
export function PairReplay({ runs, basis, cursor, followed }: PairReplayProps) {
  const [first, second] = runs;
  const steps = useMemo(() => stepsOfBoth(first.history, second.history), [first.history, second.history]);
  const camera = useCamera(basis);
  const hovered = useMemo<HoveredToken>(() => new Shared<number | null>(null), []);
  const pointed = useShared(hovered);
  const search = useRef<HTMLInputElement>(null);
  const cursorStep = useShared(cursor);
  const last = steps.length - 1;
  const at = cursorStep === null ? last : stateOfStep(steps, cursorStep, steps.length);
  const step = steps[at] ?? 0;
  const [isPlaying, setPlaying] = useState(false);
  const [isTouring, setTouring] = useState(false);
  const [speed, setSpeed] = useState(60);
  const left = usePairedCloud({ run: first, other: second, basis, camera, step, hovered, followed, isTouring });
  const right = usePairedCloud({ run: second, other: first, basis, camera, step, hovered, followed, isTouring: false });
  const go = (next: number) => {
    cursor.value = steps[Math.max(0, Math.min(last, next))] ?? 0;
  };
  const play = () => {
    if (!isPlaying && at >= last) go(0);
    setPlaying(!isPlaying);
  };
  usePlayback({ isPlaying, speed, at, last, isShown: left.isShown && right.isShown, go, stop: () => setPlaying(false) });
  useKeys({
    " ": play,
    ",": () => go(at - 1),
    ".": () => go(at + 1),
    Home: () => go(0),
    End: () => go(last),
    t: () => setTouring((is) => !is),
    r: () => camera.reset(),
    "/": () => search.current?.focus(),
    Escape: () => followInAddress(null),
  });
  const nameOf = (row: number) => tokenName(first.history.ids?.[row] ?? row, first.history.texts[row]);
  return (
    <section class="panel pair" aria-label="Replay of two runs">
      <div class="stages">
        {[left, right].map((side, index) => (
          <PairedStage key={runs[index]?.id} {...side} pointed={pointed === null ? undefined : nameOf(pointed)} letter={index === 0 ? "A" : "B"} />
        ))}
      </div>
      <Marks />
      <Transport
        hasKeys
        {...{ state: at, step, isPlaying, speed, play, go, setSpeed }}
        count={steps.length}
        tour={{ isOn: isTouring, toggle: () => setTouring(!isTouring) }}
        resetView={() => camera.reset()}
      >
        <ExportButton views={() => [left.view, right.view]} steps={steps} step={step} />
        <KeyHelp />
      </Transport>
      <TokenSearch history={first.history} follow={followInAddress} nameOf={nameOf} input={search} />
      <p class="followed" role="status" data-testid="followed">
        {followed === null ? (
          "Click a point, or name a token, to follow it in both runs."
        ) : (
          <>
            <code>{nameOf(followed)}</code> A: {standing(left.holes, followed)}; B: {standing(right.holes, followed)}{" "}
            <button type="button" class="small" onClick={() => followInAddress(null)}>
              Let go
            </button>
          </>
        )}
      </p>
    </section>
  );
}

interface PairedCloudInput {
  run: PairedRun;
  other: PairedRun;
  basis: BasisDocument;
  camera: Camera;
  step: number;
  hovered: HoveredToken;
  followed: number | null;
  isTouring: boolean;
}

/** The cloud of one run of a pair at a step, or at its last recorded step before it. */
function usePairedCloud({ run, other, basis, camera, step, hovered, followed, isTouring }: PairedCloudInput) {
  const { history } = run;
  const state = stateOfStep(history.steps, step, history.states);
  const { document: way } = useDocument<RowPathDocument>(
    followed === null ? null : `/api/runs/${run.id}/path?row=${followed}&points=400&beside=${other.id}`,
    history.states,
  );
  const states = useStates(history);
  const { isDark } = useTheme();
  const view = { name: run.name, history, basis, camera, followed, way: way?.row === followed ? way : undefined };
  const cloud = useCloud({
    ...view,
    states,
    nameOf: (row) => tokenName(history.ids?.[row] ?? row, history.texts[row]),
    follow: followInAddress,
    isDark,
    state,
    hovered,
    isPlaying: false, // one transport moves both
    isTouring,
    speed: 0,
    onState: () => undefined,
  });
  return { ...cloud, run, view, isShown: cloud.holes !== undefined && cloud.shownState === state };
}

interface PairedStageProps extends ReturnType<typeof usePairedCloud> {
  letter: string;
  /** Name of the token that is pointed at in either picture. */
  pointed: string | undefined;
}

function PairedStage({ run, letter, canvas, overlay, problem, isActive, shownState, holes, pointed }: PairedStageProps) {
  const { history } = run;
  const inHoles = holes?.populations.reduce((sum, population) => sum + population, 0) ?? 0;
  return (
    <section aria-label={`${letter}: ${run.name}`}>
      <h2 class="stage-head">
        <span>
          {letter} · <a href={hrefOf("run", run.id)}>{run.name}</a>
        </span>
        <span class="unit">
          C <output data-testid={`C-${letter}`}>{shown(holes?.populations.length ?? 0)}</output>, P{" "}
          <output data-testid={`P-${letter}`}>{shown(inHoles)}</output>
        </span>
      </h2>
      <Stage {...{ canvas, overlay, problem, isActive }} tokens={history.tokens} step={shown(history.steps?.[shownState] ?? shownState)} hovered={pointed} />
    </section>
  );
}

function standing(holes: HoleMarks | undefined, row: number): string {
  const hole = holes?.hole[row] ?? 0;
  return hole > 0 ? `in a black hole of ${holes?.populations[hole - 1] ?? 1}` : "alone";
}
