import { differenceName, differenceOfP } from "../../src/figures/panels.js";
import type { ReplayedRun } from "../../src/report/page.js";
import type { StepCursor } from "../shared/shared-value.js";
import type { FigureView } from "./figure-view.js";
import { addPlayback, choice, element, legend, replaysOf, rowNearest } from "./replay.js";
import { drawFrame, fitCanvas, type Shown, type UnpackedReplay, wordsOf } from "./replay-picture.js";
import { tokenInput } from "./token-input.js";
import { unpackedColumn } from "./unpacked.js";

/** One of the two pictures: a run, which can be exchanged if there are more than two. */
function addSide(runs: readonly ReplayedRun[], index: number) {
  const names = runs.map(({ label }, at) => [String(at), label] as const);
  const select = choice(index === 0 ? "Run on the left" : "Run on the right", names);
  select.value = String(index);
  const canvas = element("canvas", {});
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `The embedding of the ${index === 0 ? "first" : "second"} run, at the step that the scrubber shows`);
  const said = element("output", {});
  const name = element("strong", { textContent: runs[index]?.label ?? "" });
  const part = element("div", {});
  part.append(runs.length > 2 ? select : name, canvas, said);
  return { part, select, canvas, said };
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

/**
 * Draw key frames of two runs next to each other, in one view, with one scrubber, a play button, and a token that is followed in both. The pair follows the
 * cursor of the page and moves it.
 */
export async function addPair(host: HTMLElement, runs: readonly ReplayedRun[], cursor: StepCursor, views: readonly FigureView[]): Promise<void> {
  const replayOf = replaysOf();
  const sides = [addSide(runs, 0), addSide(runs, 1)];
  const replays: UnpackedReplay[] = [await replayOf(runs[0]), await replayOf(runs[1])];
  let steps: number[] = [];
  let at = 0;

  const play = element("button", { type: "button", textContent: "Play" });
  const scrubber = element("input", { type: "range", min: "0", step: "1" });
  scrubber.setAttribute("aria-label", "Key frame of both runs");
  const follow = tokenInput();
  const controls = element("div", { className: "controls" });
  controls.append(play, scrubber, follow.element);
  const pictures = element("div", { className: "pair" });
  pictures.append(...sides.map(({ part }) => part));
  host.replaceChildren(pictures, legend(), controls);

  function shownOn(side: number): Shown | undefined {
    const replay = replays[side];
    const step = steps[at] ?? 0;
    return (
      replay && {
        replay,
        frame: Math.max(
          0,
          replay.steps.findLastIndex((each) => each <= step),
        ),
        followed: follow.row,
      }
    );
  }

  function draw(): void {
    for (const [side, { canvas, said }] of sides.entries()) {
      const shown = shownOn(side);
      if (!shown) continue;
      drawFrame(canvas, shown);
      said.value = wordsOf(shown);
    }
  }

  function setPosition(next: number): void {
    at = Math.max(0, Math.min(steps.length - 1, next));
    scrubber.value = String(at);
    scrubber.setAttribute("aria-valuetext", `step ${steps[at]}`);
    draw();
  }

  /** Show a position, and its step everywhere. */
  function goTo(next: number): void {
    setPosition(next);
    cursor.value = steps[at] ?? null;
  }

  /** Show the last key frames at or before a step. */
  function show(step: number): void {
    setPosition(steps.findLastIndex((each) => each <= step));
  }

  /** Begin with the chosen runs, at a step. */
  function begin(step: number): void {
    steps = [...new Set(replays.flatMap((replay) => replay.steps))].sort((a, b) => a - b);
    scrubber.max = String(steps.length - 1);
    show(step);
  }

  const rewind = () => {
    at = -1;
  };
  addPlayback(play, () => ({ at, last: steps.length - 1 }), { rewind, goTo });
  cursor.listen((step) => {
    if (step !== null && step !== steps[at]) show(step);
  });
  scrubber.addEventListener("input", () => goTo(Number(scrubber.value)));
  follow.onChange(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  for (const [side, { select, canvas }] of sides.entries()) {
    select.addEventListener("change", async () => {
      replays[side] = await replayOf(runs[Number(select.value)]);
      begin(steps[at] ?? 0);
      await showDifference(
        views,
        sides.map((each) => runs[Number(each.select.value)]),
      );
    });
    canvas.addEventListener("click", (event) => {
      const shown = shownOn(side);
      if (!shown) return;
      follow.choose(rowNearest(canvas, event, shown));
      draw();
    });
    new ResizeObserver(() => {
      fitCanvas(canvas);
      draw();
    }).observe(canvas);
    fitCanvas(canvas);
  }
  follow.offer(replays[0]?.tokens ?? []);
  begin(Number.POSITIVE_INFINITY);
}
