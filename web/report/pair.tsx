import "../replay/pair.css";
import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { differenceName, differenceOfP } from "../../src/figures/panels.js";
import type { ReplayedRun } from "../../src/report/page.js";
import { stepsOfBoth } from "../replay/pair-steps.js";
import { stateOfStep } from "../replay/replayed.js";
import { Marks, Stage } from "../replay/stage.js";
import { Transport } from "../replay/transport.js";
import { usePlayback } from "../replay/use-playback.js";
import { type StepCursor, useShared } from "../shared/step-cursor.js";
import { shown } from "../src/figures.js";
import type { FigureView } from "./figure-view.js";
import type { FramedReplay } from "./frames.js";
import { Counts, Follow, RunChoice, useFrameCloud, useFrames, usePointing, usualSpeed } from "./replay.js";
import { unpackedColumn } from "./unpacked.js";

/** Put the replay of two runs at a time into an element. */
export function addPair(host: HTMLElement, runs: readonly ReplayedRun[], cursor: StepCursor, views: readonly FigureView[]): void {
  host.replaceChildren();
  render(<PairOfRuns runs={runs} cursor={cursor} views={views} />, host);
}

/** Show the difference of P of the chosen runs. */
async function showDifference(views: readonly FigureView[], runs: readonly (ReplayedRun | undefined)[]): Promise<void> {
  const [first, second] = await Promise.all(
    runs.map(async (run) => {
      const columns = await Promise.all([run?.counts?.steps ?? "", run?.counts?.P ?? ""].map(unpackedColumn));
      return { label: run?.label ?? "", x: columns[0] as number[], y: columns[1] ?? [] };
    }),
  );
  const sources = runs.flatMap((run) => run?.counts?.source ?? []);
  if (first && second) views.find(({ name }) => name === differenceName)?.show({ ...differenceOfP([first, second]), sources });
}

interface PairProps {
  readonly runs: readonly ReplayedRun[];
  readonly cursor: StepCursor;
  readonly views: readonly FigureView[];
}

/** The choice of two runs; the figure of their difference follows it. */
function PairOfRuns({ runs, cursor, views }: PairProps) {
  const [chosen, setChosen] = useState<readonly [number, number]>([0, 1]);
  const [left, right] = [useFrames(runs[chosen[0]]), useFrames(runs[chosen[1]])];
  const choose = (side: number, index: number) => {
    const next = [side === 0 ? index : chosen[0], side === 1 ? index : chosen[1]] as const;
    setChosen(next);
    void showDifference(
      views,
      next.map((each) => runs[each]),
    );
  };
  if (!left || !right) return null;
  const heads = (["Run on the left", "Run on the right"] as const).map((name, side) =>
    runs.length > 2 ? (
      <RunChoice key={name} name={name} runs={runs} chosen={chosen[side] ?? 0} choose={(index) => choose(side, index)} />
    ) : (
      <strong key={name}>{runs[side]?.label}</strong>
    ),
  );
  return <PairedFrames replays={[left, right]} heads={heads} cursor={cursor} />;
}

interface PairedFramesProps {
  readonly replays: readonly [FramedReplay, FramedReplay];
  readonly heads: readonly preact.ComponentChild[];
  readonly cursor: StepCursor;
}

/** Key frames of two runs next to each other, in one view, with one transport, and a token that is followed in both. */
function PairedFrames({ replays, heads, cursor }: PairedFramesProps) {
  const [first, second] = replays;
  const steps = useMemo(() => stepsOfBoth(first.history, second.history), [first, second]);
  const last = steps.length - 1;
  const cursorStep = useShared(cursor);
  const at = cursorStep === null ? last : stateOfStep(steps, cursorStep, steps.length);
  const step = steps[at] ?? 0;
  const [followed, follow] = useState<number | null>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(usualSpeed);
  const pointing = usePointing(first.basis);
  const pointed = useShared(pointing.hovered);
  const shared = { ...pointing, step, followed, follow };
  const clouds = [useFrameCloud({ ...shared, replay: first }), useFrameCloud({ ...shared, replay: second })];
  const go = (next: number) => {
    cursor.value = steps[Math.max(0, Math.min(last, next))] ?? 0;
  };
  const play = () => {
    if (!isPlaying && at >= last) go(0);
    setPlaying(!isPlaying);
  };
  const isShown = replays.every(({ history }, side) => clouds[side]?.shownState === stateOfStep(history.steps, step, history.states));
  usePlayback({ isPlaying, speed, at, last, isShown, go, stop: () => setPlaying(false) });
  return (
    <div class="pair">
      <div class="stages">
        {clouds.map((cloud, side) => {
          const { history, nameOf } = replays[side] ?? first;
          const shownStep = history.steps?.[cloud.shownState] ?? cloud.shownState;
          return (
            <div key={side === 0 ? "left" : "right"}>
              <div class="stage-head">
                {heads[side]}
                <Counts step={shownStep} tokens={history.tokens} holes={cloud.holes} />
              </div>
              <Stage {...cloud} tokens={history.tokens} step={shown(shownStep)} hovered={pointed === null ? undefined : nameOf(pointed)} />
            </div>
          );
        })}
      </div>
      <Marks />
      <Transport {...{ state: at, step, isPlaying, speed, play, go, setSpeed }} count={steps.length} resetView={() => pointing.camera.reset()} />
      <Follow replay={first} followed={followed} follow={follow} />
    </div>
  );
}
