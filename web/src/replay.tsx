import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { setQuery } from "./address.js";
import { Cloud, marks } from "./cloud.js";
import type { BasisDocument, CensusOfStateDocument, HistoryDocument, RowPathDocument } from "./documents.js";
import { shown, tokenName } from "./figures.js";
import { type HoleMarks, markHoles } from "./holes.js";
import { placeOfRow } from "./row-value.js";
import { getDocument, useDocument } from "./server.js";
import { type StateBits, States } from "./states.js";
import { type StepCursor, useShared } from "./step-cursor.js";
import { useTheme } from "./theme.js";
import { drawTrail } from "./trail.js";
import { ViewAngle } from "./view-angle.js";

interface ReplayProps {
  history: HistoryDocument;
  basis: BasisDocument;
  cursor: StepCursor;
  /** The token that is followed, from the address. */
  followed: number | null;
}

/** States a second. */
const speeds = [5, 15, 30, 60, 240, 960];

/** The cloud of a run's embedding at any recorded step: exact bits, one basis for the whole path. */
export function Replay({ history, basis, cursor, followed }: ReplayProps) {
  const { states: count, steps } = history;
  const stepOf = (state: number) => steps?.[state] ?? state;
  const step = useShared(cursor);
  const state = step === null ? count - 1 : stateOfStep(steps, step, count);
  const [isPlaying, setPlaying] = useState(false);
  const [isTouring, setTouring] = useState(false);
  const [speed, setSpeed] = useState(60);
  const { document: way } = useDocument<RowPathDocument>(followed === null ? null : `/api/runs/${history.id}/path?row=${followed}&points=400`, count);
  const { canvas, overlay, problem, shownState, holes, follow, hovered, resetView } = useCloud({
    history,
    basis,
    state,
    followed,
    way: way?.row === followed ? way : undefined,
    isPlaying,
    isTouring,
    speed,
    onState: (next) => {
      cursor.value = stepOf(next);
      if (next >= count - 1) setPlaying(false);
    },
  });
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
  const idOf = (row: number) => history.ids?.[row] ?? row;
  const nameOf = (row: number) => tokenName(idOf(row), history.texts[row]);
  return (
    <section class="replay" aria-label="Replay" onKeyDown={onKey}>
      <div class="stage">
        {problem ? (
          <p class="problem">{problem}</p>
        ) : (
          <>
            <canvas ref={canvas} role="img" aria-label={`Cloud of ${history.tokens} tokens after step ${shown(stepOf(shownState))}`} />
            <canvas ref={overlay} class="labels" />
            <p class="corner">
              step <b data-testid="step">{shown(stepOf(shownState))}</b>
              {hovered !== null && <span> · {nameOf(hovered)}</span>}
            </p>
            <ul class="key" aria-label="Marks">
              <li>
                <Mark kind="live" /> token of the text
              </li>
              <li>
                <Mark kind="dead" /> dead token
              </li>
              <li>
                <Mark kind="hole" /> in a black hole
              </li>
            </ul>
          </>
        )}
      </div>
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
          aria-valuetext={`step ${stepOf(state)}`}
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
        <button type="button" aria-pressed={isTouring} onClick={() => setTouring(!isTouring)} title="Go through the other dimensions (t)">
          Tour
        </button>
        <button type="button" onClick={resetView} title="The first principal directions again (r)">
          Reset view
        </button>
      </div>
      <div class="beside">
        <HolesPanel holes={holes} census={census} nameOf={(token) => tokenName(token, history.texts[history.ids?.indexOf(token) ?? token])} />
        <TokenPanel history={history} followed={followed} follow={follow} holes={holes} nameOf={nameOf} />
      </div>
    </section>
  );
}

function Mark({ kind }: { kind: "live" | "dead" | "hole" }) {
  return (
    <svg width="14" height="14" viewBox="-8 -8 16 16" aria-hidden="true" class={`mark ${kind}`}>
      {kind === "live" && <circle r="5" />}
      {kind === "dead" && <path d="M0-6L6 0L0 6L-6 0Z" />}
      {kind === "hole" && <circle r="5.5" />}
    </svg>
  );
}

function HolesPanel({ holes, census, nameOf }: { holes: HoleMarks | undefined; census: CensusOfStateDocument | undefined; nameOf(token: number): string }) {
  const count = holes?.populations.length ?? 0;
  const inHoles = holes?.populations.reduce((sum, population) => sum + population, 0) ?? 0;
  return (
    <div class="panel">
      <h3>Black holes</h3>
      <dl class="numbers">
        <div>
          <dt>C</dt>
          <dd data-testid="C">{shown(count)}</dd>
        </div>
        <div>
          <dt>P</dt>
          <dd data-testid="P">{shown(inHoles)}</dd>
        </div>
        <div>
          <dt>unique</dt>
          <dd>{shown(holes ? holes.hole.length - inHoles + count : null)}</dd>
        </div>
      </dl>
      {count === 0 && <p class="note">No two rows are equal.</p>}
      {census && census.C > 0 && (
        <ol class="holes">
          {census.holes.slice(0, 12).map(({ population, tokens }) => (
            <li key={tokens[0]}>
              <b>{population}</b>{" "}
              {tokens.slice(0, 40).map((token) => (
                <code key={token}>{nameOf(token)}</code>
              ))}
              {tokens.length > 40 && ` and ${tokens.length - 40} more`}
            </li>
          ))}
          {census.C > 12 && <li class="more">and {census.C - 12} more</li>}
        </ol>
      )}
    </div>
  );
}

interface TokenPanelProps {
  history: HistoryDocument;
  followed: number | null;
  follow(row: number | null): void;
  holes: HoleMarks | undefined;
  nameOf(row: number): string;
}

function TokenPanel({ history, followed, follow, holes, nameOf }: TokenPanelProps) {
  const [text, setText] = useState("");
  const isDead = followed !== null && history.dead.includes(followed);
  const hole = followed === null ? 0 : (holes?.hole[followed] ?? 0);
  const find = () => {
    const wanted = text.trim() === "" && text !== "" ? " " : text.trim();
    const ids = history.ids ?? history.texts.map((_, row) => row);
    const named = history.texts.indexOf(wanted);
    const row = named >= 0 ? named : ids.indexOf(Number(wanted.replace("#", "")));
    if (row >= 0) follow(row);
  };
  return (
    <div class="panel">
      <h3>Token</h3>
      <form
        class="find"
        onSubmit={(event) => {
          event.preventDefault();
          find();
        }}
      >
        <input
          type="text"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          placeholder="character or number"
          aria-label="Token to follow"
        />
        <button type="submit">Follow</button>
      </form>
      {followed === null ? (
        <p class="note">Click a point, or name a token, to follow it.</p>
      ) : (
        <p class="followed" data-testid="followed">
          <code>{nameOf(followed)}</code> number {history.ids?.[followed] ?? followed}, {isDead ? "not in the text" : "in the text"}
          {hole > 0 ? `, in black hole ${hole} with ${(holes?.populations[hole - 1] ?? 1) - 1} others` : ", alone"}{" "}
          <button type="button" class="small" onClick={() => follow(null)}>
            Let go
          </button>
        </p>
      )}
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

interface CloudInput extends Omit<ReplayProps, "cursor"> {
  /** Of the token that is followed. */
  way: RowPathDocument | undefined;
  state: number;
  isPlaying: boolean;
  isTouring: boolean;
  speed: number;
  onState(state: number): void;
}

/** The canvas with the cloud: it draws when something has changed, and each frame while it moves. */
function useCloud(input: CloudInput) {
  const { history, basis, followed } = input;
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const newest = useRef(input);
  newest.current = input;
  const [problem, setProblem] = useState<string>();
  const [shownState, setShownState] = useState(input.state);
  const [holes, setHoles] = useState<HoleMarks>();
  const [hovered, setHovered] = useState<number | null>(null);
  const angle = useMemo(() => new ViewAngle(basis), [basis]);
  const redraw = useRef<() => void>(() => undefined);
  const zoom = useRef(1);
  const { isDark } = useTheme();

  const follow = useCallback((row: number | null) => setQuery({ token: row === null ? "" : String(row) }), []);

  // The cloud stays as long as tokens and dimensions do; a live history that grows changes neither.
  const { id, tokens, dims, dtype, states: count } = history;
  const states = useMemo(() => new States(history, () => redraw.current()), [id, count]);
  useEffect(() => () => states.close(), [states]);

  useEffect(() => {
    const element = canvas.current;
    const labels = overlay.current;
    if (!element || !labels) return;
    let cloud: Cloud;
    try {
      cloud = new Cloud(element, { tokens, dims, dtype }, basis);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return;
    }
    const picture = new Picture(cloud, element, labels, { basis, angle, zoom, newest, dims, dtype });
    let frame = 0;
    let before = 0;
    let owed = 0;
    const draw = (now: number) => {
      frame = 0;
      const { isPlaying, isTouring, speed, state, history: current } = newest.current;
      const seconds = before === 0 ? 0 : Math.min(0.1, (now - before) / 1000);
      before = isPlaying || isTouring ? now : 0;
      if (isTouring) angle.tour(seconds);
      const found = statesNow.current.state(state);
      if (found && picture.show(state, found)) {
        setShownState(state);
        setHoles(picture.holes);
      }
      picture.draw();
      if (isPlaying && found) {
        owed += seconds * speed;
        const steps = Math.floor(owed);
        owed -= steps;
        if (steps > 0) newest.current.onState(Math.min(current.states - 1, state + steps));
      }
      if (isPlaying || isTouring) request();
    };
    const request = () => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };
    redraw.current = request;
    const resize = new ResizeObserver(() => {
      picture.fit();
      request();
    });
    resize.observe(element);
    const undo = handlePointer(element, picture, { angle, zoom, request, follow, setHovered });
    request();
    return () => {
      cancelAnimationFrame(frame);
      resize.disconnect();
      undo();
      cloud.close();
      redraw.current = () => undefined;
    };
  }, [id, tokens, dims, dtype, basis, angle, follow]);

  const statesNow = useRef(states);
  statesNow.current = states;
  useEffect(() => redraw.current(), [input.state, input.isPlaying, input.isTouring, input.way, followed, isDark, states]);

  const resetView = useCallback(() => {
    angle.reset();
    zoom.current = 1;
    redraw.current();
  }, [angle]);
  return { canvas, overlay, problem, shownState, holes, follow, hovered, resetView };
}

interface PictureSettings {
  basis: BasisDocument;
  angle: ViewAngle;
  zoom: { current: number };
  newest: { current: CloudInput };
  dims: number;
  dtype: string;
}

/** One state on the canvas, with what is written over it. */
class Picture {
  holes: HoleMarks | undefined;
  readonly #cloud: Cloud;
  readonly #canvas: HTMLCanvasElement;
  readonly #labels: HTMLCanvasElement;
  readonly #settings: PictureSettings;
  #bits: StateBits | undefined;
  #shown = "";

  constructor(cloud: Cloud, canvas: HTMLCanvasElement, labels: HTMLCanvasElement, settings: PictureSettings) {
    this.#cloud = cloud;
    this.#canvas = canvas;
    this.#labels = labels;
    this.#settings = settings;
    this.fit();
  }

  /** Take the size that the page gives it. */
  fit(): void {
    for (const canvas of [this.#canvas, this.#labels]) {
      canvas.width = Math.max(1, Math.round(this.#canvas.clientWidth * devicePixelRatio));
      canvas.height = Math.max(1, Math.round(this.#canvas.clientHeight * devicePixelRatio));
    }
  }

  /** Take another state, or another token to follow. @returns whether it is another. */
  show(state: number, bits: StateBits): boolean {
    const { history, followed } = this.#settings.newest.current;
    const key = `${state} ${followed}`;
    if (key === this.#shown) return false;
    this.#shown = key;
    this.#bits = bits;
    this.holes = markHoles(bits, history.tokens, history.dims, history.dtype);
    const rowMarks = new Uint8Array(history.tokens);
    for (const row of history.dead) rowMarks[row] = marks.dead;
    const seen = new Uint8Array(this.holes.populations.length + 1);
    for (let row = 0; row < history.tokens; row++) {
      const hole = this.holes.hole[row] ?? 0;
      if (hole > 0) rowMarks[row] = seen[hole] ? marks.behind : marks.hole;
      seen[hole] = 1;
    }
    const chosen = new Uint8Array(history.tokens);
    if (followed !== null) chosen[followed] = 1;
    this.#cloud.show(bits, rowMarks, chosen);
    return true;
  }

  draw(): void {
    if (!this.#bits) return;
    const { angle } = this.#settings;
    const styles = getComputedStyle(this.#canvas);
    const colour = (name: string) => styles.getPropertyValue(name);
    const { tokens } = this.#settings.newest.current.history;
    const pointSize = (tokens <= 256 ? 13 : tokens <= 2000 ? 8 : 5) * devicePixelRatio;
    const colours = { live: colour("--live"), dead: colour("--dead"), hole: colour("--hole"), ground: colour("--stage") };
    this.#cloud.draw({ axes: angle.axes, scale: this.#scale(), pointSize, colours });
    this.#write(colour("--ink"), colour("--stage"), colour("--accent"));
  }

  /** The row under a place of the page, if there is one near. */
  rowAt(clientX: number, clientY: number): number | null {
    const { history } = this.#settings.newest.current;
    const box = this.#canvas.getBoundingClientRect();
    let found: number | null = null;
    let nearest = 14 ** 2;
    for (const [row, x, y] of this.#places(Array.from({ length: history.tokens }, (_, each) => each))) {
      const distance = (x + box.left - clientX) ** 2 + (y + box.top - clientY) ** 2;
      if (distance < nearest) {
        nearest = distance;
        found = row;
      }
    }
    return found;
  }

  /** So that the whole path fits, seen along its first directions: in halves of the shorter side a unit of the embedding. */
  #scale(): number {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const [right = 1, up = 1] = this.#settings.basis.reach;
    const fits = Math.min((width - 90) / (2 * (right || 1)), (height - 90) / (2 * (up || right || 1)));
    return (fits / (Math.min(width, height) / 2)) * this.#settings.zoom.current;
  }

  /** Where rows lie on the canvas, in units of the page. */
  *#places(rows: readonly number[]): Generator<[row: number, x: number, y: number]> {
    if (!this.#bits) return;
    const { angle, dims, dtype } = this.#settings;
    const { matrix, offset } = angle.map(dims);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const pixels = (Math.min(width, height) / 2) * this.#scale();
    for (const row of rows) {
      const [x, y] = placeOfRow(this.#bits, row, dims, dtype, matrix, offset);
      yield [row, width / 2 + x * pixels, height / 2 - y * pixels];
    }
  }

  /** The way that the followed token came. */
  #writeWay(context: CanvasRenderingContext2D): void {
    const { followed, way, state } = this.#settings.newest.current;
    if (followed === null || !way) return;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const pixels = (Math.min(width, height) / 2) * this.#scale();
    const [right = [], up = []] = this.#settings.angle.axes;
    const along = (axis: readonly number[], place: readonly number[]) => axis.reduce((sum, share, component) => sum + share * (place[component] ?? 0), 0);
    const seen = (place: readonly number[]) => [width / 2 + along(right, place) * pixels, height / 2 - along(up, place) * pixels] as const;
    for (const [, x, y] of this.#places([followed])) drawTrail(context, way, state, seen, [x, y]);
  }

  /** Names: of the followed token, of the largest holes, and of every token where there are few. */
  #write(ink: string, ground: string, line: string): void {
    const context = this.#labels.getContext("2d");
    if (!context) return;
    const { history, followed } = this.#settings.newest.current;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.#labels.width, this.#labels.height);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineCap = "round";
    context.strokeStyle = line;
    this.#writeWay(context);
    const taken: [number, number, number, number][] = [];
    const write = (text: string, x: number, from: number, isBold: boolean) => {
      let y = from;
      context.font = `${isBold ? "600 13px" : "11px"} system-ui, sans-serif`;
      const width = context.measureText(text).width;
      if (isBold) while (taken.some(([left, top, right, bottom]) => x + 9 < right && x + 11 + width > left && y - 7 < bottom && y + 7 > top)) y += 15;
      const box: [number, number, number, number] = [x + 9, y - 7, x + 11 + width, y + 7];
      if (!isBold && taken.some(([left, top, right, bottom]) => box[0] < right && box[2] > left && box[1] < bottom && box[3] > top)) return;
      taken.push(box);
      context.lineWidth = 3;
      context.strokeStyle = ground;
      context.fillStyle = ink;
      context.globalAlpha = isBold ? 1 : 0.8;
      context.strokeText(text, x + 10, y);
      context.fillText(text, x + 10, y);
    };
    const nameOf = (row: number) => tokenName(history.ids?.[row] ?? row, history.texts[row]);
    const holes = this.holes;
    const firsts = (holes?.populations ?? []).slice(0, 12).map((_, hole) => holes?.hole.indexOf(hole + 1) ?? 0);
    for (const [row, x, y] of this.#places(followed === null ? [] : [followed])) write(nameOf(row), x, y, true);
    for (const [row, x, y] of this.#places(firsts)) write(`${holes?.populations[(holes.hole[row] ?? 1) - 1]} tokens`, x, y, true);
    if (history.tokens > 300) return;
    const others = Array.from({ length: history.tokens }, (_, row) => row).filter(
      (row) => row !== followed && (holes?.hole[row] ?? 0) === 0 && !history.dead.includes(row),
    );
    for (const [row, x, y] of this.#places(others)) write(nameOf(row), x, y, false);
  }
}

interface PointerActions {
  angle: ViewAngle;
  zoom: { current: number };
  request(): void;
  follow(row: number | null): void;
  setHovered(row: number | null): void;
}

/** A drag turns the cloud, the wheel comes nearer, a click follows a token. @returns how to end that. */
function handlePointer(element: HTMLCanvasElement, picture: Picture, { angle, zoom, request, follow, setHovered }: PointerActions): () => void {
  let from: { x: number; y: number; moved: number } | undefined;
  const down = (event: PointerEvent) => {
    from = { x: event.clientX, y: event.clientY, moved: 0 };
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    if (!from) {
      setHovered(picture.rowAt(event.clientX, event.clientY));
      return;
    }
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    from = { x: event.clientX, y: event.clientY, moved: from.moved + Math.abs(dx) + Math.abs(dy) };
    if (from.moved < 4) return;
    angle.turn(dx / 180, -dy / 180);
    request();
  };
  const up = (event: PointerEvent) => {
    if (from && from.moved < 4) follow(picture.rowAt(event.clientX, event.clientY));
    from = undefined;
  };
  const leave = () => setHovered(null);
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    zoom.current = Math.max(0.2, Math.min(200, zoom.current * Math.exp(-event.deltaY / 500)));
    request();
  };
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointerleave", leave);
  element.addEventListener("wheel", wheel, { passive: false });
  return () => {
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointerleave", leave);
    element.removeEventListener("wheel", wheel);
  };
}

function stateOfStep(steps: readonly number[] | null, step: number, count: number): number {
  if (!steps) return Math.max(0, Math.min(count - 1, Math.round(step)));
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((steps[middle] ?? 0) <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}
