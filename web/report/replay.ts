import type { ReplayedRun } from "../../src/report/page.js";
import { stageMarks } from "../replay/stage-text.js";
import type { StepCursor } from "../shared/shared-value.js";
import { drawFrame, fitCanvas, placeOfRow, type Shown, type UnpackedReplay, unpackedReplay, wordsOf } from "./replay-picture.js";
import { tokenInput } from "./token-input.js";

const framesPerSecond = 30;

export function element<Name extends keyof HTMLElementTagNameMap>(name: Name, properties: Partial<HTMLElementTagNameMap[Name]>): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), properties);
}

export function choice(name: string, options: readonly (readonly [value: string, text: string])[]): HTMLSelectElement {
  const select = element("select", {});
  select.setAttribute("aria-label", name);
  select.append(...options.map(([value, textContent]) => element("option", { value, textContent })));
  return select;
}

/** Unpacks the replay of each run once. */
export function replaysOf(): (run: ReplayedRun | undefined) => Promise<UnpackedReplay> {
  const unpacked = new Map<ReplayedRun, UnpackedReplay>();
  return async (run) => {
    if (!run) throw new Error("there is no such run in this report");
    const known = unpacked.get(run) ?? (await unpackedReplay(run.frames));
    unpacked.set(run, known);
    return known;
  };
}

const svgNamespace = "http://www.w3.org/2000/svg";

/** What the marks mean, as on the page. */
export function legend(): HTMLElement {
  const list = element("ul", { className: "key" });
  list.setAttribute("aria-label", "Marks");
  for (const { kind, text } of stageMarks) {
    const icon = document.createElementNS(svgNamespace, "svg");
    icon.setAttribute("class", `mark ${kind}`);
    icon.setAttribute("viewBox", "0 0 16 16");
    icon.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS(svgNamespace, kind === "dead" ? "path" : "circle");
    const attributes = kind === "dead" ? { d: "M8 2 14 8 8 14 2 8Z" } : { cx: "8", cy: "8", r: kind === "live" ? "4" : "5" };
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    icon.append(shape);
    const item = element("li", {});
    item.append(icon, text);
    list.append(item);
  }
  return list;
}

/**
 * Let a button play and pause.
 * @param positions the current one, and the last one.
 * @returns a function that pauses.
 */
export function addPlayback(
  button: HTMLButtonElement,
  positions: () => { at: number; last: number },
  actions: { rewind(): void; goTo(at: number): void },
): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const pause = () => {
    clearInterval(timer);
    timer = undefined;
    button.textContent = "Play";
  };
  button.addEventListener("click", () => {
    if (timer !== undefined) {
      pause();
      return;
    }
    if (positions().at === positions().last) actions.rewind();
    button.textContent = "Pause";
    timer = setInterval(() => {
      const { at, last } = positions();
      if (at >= last) pause();
      else actions.goTo(at + 1);
    }, 1000 / framesPerSecond);
  });
  return pause;
}

/** Put a canvas and its controls into an element. */
function addControls(host: HTMLElement, runs: readonly ReplayedRun[]) {
  const canvas = element("canvas", {});
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "The embedding along two principal components, at the step that the scrubber shows");
  const play = element("button", { type: "button", textContent: "Play" });
  const scrubber = element("input", { type: "range", min: "0", step: "1", value: "0" });
  scrubber.setAttribute("aria-label", "Key frame");
  const chosenRun = choice(
    "Run",
    runs.map(({ label }, index) => [String(index), label]),
  );
  const follow = tokenInput();
  const said = element("output", {});
  const controls = element("div", { className: "controls" });
  controls.append(...(runs.length > 1 ? [chosenRun] : []), play, scrubber, follow.element, said);
  host.replaceChildren(canvas, legend(), controls);
  return { canvas, play, scrubber, chosenRun, follow, said };
}

/**
 * Draw key frames of runs on a canvas, one run at a time, with a scrubber, a play button, and a token to follow. The replay follows the cursor of the page and
 * moves it. It starts at the last key frame, which shows the outcome.
 */
export async function addReplay(host: HTMLElement, runs: readonly ReplayedRun[], cursor: StepCursor): Promise<void> {
  const replayOf = replaysOf();
  let replay = await replayOf(runs[0]);
  let frame = 0;

  const { canvas, play, scrubber, chosenRun, follow, said } = addControls(host, runs);
  const shown = (): Shown => ({ replay, frame, followed: follow.row });
  const lastFrame = () => replay.steps.length - 1;

  function draw(): void {
    drawFrame(canvas, shown());
    said.value = wordsOf(shown());
  }

  function setFrame(at: number): void {
    frame = at;
    scrubber.value = String(at);
    scrubber.setAttribute("aria-valuetext", `step ${replay.steps[at]}`);
    draw();
  }

  /** Show a frame, and its step everywhere. */
  function goTo(at: number): void {
    setFrame(at);
    cursor.value = replay.steps[at] ?? null;
  }

  /** Show the last key frame at or before a step. */
  function show(step: number): void {
    setFrame(
      Math.max(
        0,
        replay.steps.findLastIndex((each) => each <= step),
      ),
    );
  }

  /** Begin with a run: its tokens, its frames, at a step. */
  function begin(next: UnpackedReplay, step: number): void {
    replay = next;
    scrubber.max = String(lastFrame());
    follow.offer(replay.tokens);
    show(step);
  }

  const rewind = () => {
    frame = 0;
  };
  const pause = addPlayback(play, () => ({ at: frame, last: lastFrame() }), { rewind, goTo });
  cursor.listen((step) => {
    if (step !== null && step !== replay.steps[frame]) show(step);
  });
  scrubber.addEventListener("input", () => goTo(Number(scrubber.value)));
  follow.onChange(draw);
  chosenRun.addEventListener("change", async () => {
    pause();
    begin(await replayOf(runs[Number(chosenRun.value)]), replay.steps[frame] ?? 0);
  });
  canvas.addEventListener("click", (event) => {
    follow.choose(rowNearest(canvas, event, shown()));
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    fitCanvas(canvas);
    draw();
  }).observe(canvas);
  fitCanvas(canvas);
  begin(replay, Number.POSITIVE_INFINITY);
}

/** The row whose position is nearest to a click. */
export function rowNearest(canvas: HTMLCanvasElement, { clientX, clientY }: MouseEvent, shown: Shown): number {
  const box = canvas.getBoundingClientRect();
  const distances = shown.replay.tokens.map((_, row) => {
    const [left, top] = placeOfRow(canvas, shown, row);
    return Math.hypot(left - clientX + box.left, top - clientY + box.top);
  });
  return distances.indexOf(distances.reduce((one, other) => Math.min(one, other)));
}
