import type { ReplayedRun } from "../../src/report/page.js";
import { drawFrame, fitCanvas, placeOfRow, type UnpackedReplay, unpackedReplay, wordsOf } from "./replay-picture.js";

type ShowStep = (step: number | null, from: object) => void;

/** A replay on the page. */
export interface Replay {
  /** Show the last key frame at or before a step. */
  show(step: number): void;
}

const framesPerSecond = 30;

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, properties: Partial<HTMLElementTagNameMap[Name]>): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), properties);
}

function choice(name: string, options: readonly (readonly [value: string, text: string])[]): HTMLSelectElement {
  const select = element("select", {});
  select.setAttribute("aria-label", name);
  select.append(...options.map(([value, textContent]) => element("option", { value, textContent })));
  return select;
}

/** Unpacks the replay of each run once. */
function replaysOf(): (run: ReplayedRun | undefined) => Promise<UnpackedReplay> {
  const unpacked = new Map<ReplayedRun, UnpackedReplay>();
  return async (run) => {
    if (!run) throw new Error("there is no such run in this report");
    const known = unpacked.get(run) ?? (await unpackedReplay(run.frames));
    unpacked.set(run, known);
    return known;
  };
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
  const follow = choice("Token to follow", []);
  const said = element("output", {});
  const controls = element("div", { className: "controls" });
  controls.append(...(runs.length > 1 ? [chosenRun] : []), play, scrubber, follow, said);
  host.replaceChildren(canvas, controls);
  return { canvas, play, scrubber, chosenRun, follow, said };
}

/** Draw key frames of runs on a canvas, one run at a time, with a scrubber, a play button, and a token to follow. */
export async function addReplay(host: HTMLElement, runs: readonly ReplayedRun[], showStep: ShowStep): Promise<Replay> {
  const replayOf = replaysOf();
  let replay = await replayOf(runs[0]);
  let frame = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  const { canvas, play, scrubber, chosenRun, follow, said } = addControls(host, runs);
  const shown = () => ({ replay, frame, followed: follow.value === "" ? -1 : Number(follow.value) });
  const lastFrame = () => replay.steps.length - 1;

  function draw(): void {
    drawFrame(canvas, shown());
    said.value = wordsOf(shown());
  }

  function setFrame(at: number, tell: boolean): void {
    frame = at;
    scrubber.value = String(at);
    scrubber.setAttribute("aria-valuetext", `step ${replay.steps[at]}`);
    draw();
    if (tell) showStep(replay.steps[at] ?? null, self);
  }

  /** Begin with a run: its tokens, its frames, at the step that was shown. */
  function begin(next: UnpackedReplay, step: number): void {
    replay = next;
    scrubber.max = String(lastFrame());
    const tokens = replay.tokens.map(({ name, dead }, row) => [String(row), `${name}${dead ? " (dead)" : ""}`] as const);
    follow.replaceChildren(...choice("", [["", "Follow a token"], ...tokens]).children);
    follow.value = "";
    self.show(step);
  }

  const self: Replay = {
    show(step) {
      const at = replay.steps.findLastIndex((each) => each <= step);
      setFrame(Math.max(0, at), false);
    },
  };

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "Play";
  }

  play.addEventListener("click", () => {
    if (timer !== undefined) {
      stop();
      return;
    }
    if (frame === lastFrame()) frame = 0;
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (frame >= lastFrame()) stop();
      else setFrame(frame + 1, true);
    }, 1000 / framesPerSecond);
  });
  scrubber.addEventListener("input", () => setFrame(Number(scrubber.value), true));
  follow.addEventListener("change", draw);
  chosenRun.addEventListener("change", async () => {
    stop();
    begin(await replayOf(runs[Number(chosenRun.value)]), replay.steps[frame] ?? 0);
  });
  canvas.addEventListener("click", (event) => {
    follow.value = String(rowNearest(canvas, event, shown()));
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    fitCanvas(canvas);
    draw();
  }).observe(canvas);
  fitCanvas(canvas);
  begin(replay, 0);
  return self;
}

/** The row whose place is nearest to a click. */
function rowNearest(canvas: HTMLCanvasElement, { clientX, clientY }: MouseEvent, shown: Parameters<typeof placeOfRow>[1]): number {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [(clientX - box.left) * devicePixelRatio, (clientY - box.top) * devicePixelRatio];
  const distances = shown.replay.tokens.map((_, row) => {
    const [left, top] = placeOfRow(canvas, shown, row);
    return Math.hypot(left - x, top - y);
  });
  return distances.indexOf(Math.min(...distances));
}
