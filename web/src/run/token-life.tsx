import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { quotedToken, tokenName } from "../../../src/text/names.js";
import { type HoveredToken, type StepCursor, type StepRange, type TokenChanges, useShared } from "../../shared/step-cursor.js";
import { setQuery } from "../address.js";
import type { HistoryDocument, TokensDocument } from "../documents.js";
import { shown } from "../figures.js";
import { useDocument } from "../server.js";
import { useTheme } from "../theme.js";
import "./token-life.css";
import { drawLife, holeColour, type LifeFrame, lifeHeight, rowsHeight, shownHoles, stepAtX } from "./token-life-picture.js";

interface TokenLifeProps {
  history: HistoryDocument | undefined;
  cursor: StepCursor;
  range: StepRange;
  hovered: HoveredToken;
  /** Receives the steps at which the token that is pointed at, or followed, changes its black hole. */
  changes: TokenChanges;
  /** The row that is followed, from the address. */
  followed: number | null;
  /** Changes when the run has more steps. */
  turn: number;
}

/** The black hole of every token over the steps. Hover highlights a token, a click follows it, a drag zooms to steps. */
export function TokenLife({ history, turn, ...shared }: TokenLifeProps) {
  const { document: lives, problem } = useDocument<TokensDocument>(history ? `/api/runs/${history.id}/tokens` : null, turn);
  if (problem && !lives) return null;
  if (!history || !lives || lives.tokens !== history.tokens) return <section class="token-life reserved" aria-label="Life of the tokens" />;
  if (lives.holes.count === 0) return <p class="note">No two tokens ever share a row.</p>;
  return <Life lives={lives} history={history} {...shared} />;
}

interface LifeProps extends Omit<TokenLifeProps, "turn" | "history"> {
  lives: TokensDocument;
  history: HistoryDocument;
}

function Life({ lives, history, cursor, range, hovered, changes, followed }: LifeProps) {
  const { isDark } = useTheme();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [brush, setBrush] = useState<readonly [number, number] | null>(null);
  const step = useShared(cursor);
  const shownRange = useShared(range);
  const pointed = useShared(hovered);
  const placeOf = useMemo(() => new Map(lives.order.map((row, place) => [row, place])), [lives.order]);
  const frame: LifeFrame = { width, lives, range: shownRange ?? [lives.first, lives.last] };
  const place = pointed === null ? undefined : placeOf.get(pointed);
  const chosen = place ?? (followed === null ? undefined : placeOf.get(followed));

  useEffect(() => {
    // A row of several tokens says nothing of one of them.
    changes.value = chosen === undefined || !lives.areEqual ? [] : spansAt(lives, chosen).flatMap(({ from }, at) => (at === 0 ? [] : [from]));
    return () => {
      changes.value = [];
    };
  }, [changes, chosen, lives]);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const resize = new ResizeObserver(() => setWidth(element.clientWidth));
    resize.observe(element);
    return () => resize.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    if (!element || width === 0) return;
    drawLife(element, frame, {
      isDark,
      step: step ?? lives.last,
      dead: history.dead,
      hovered: place,
      followed: followed === null ? undefined : placeOf.get(followed),
      brush,
    });
  }, [width, lives, shownRange, isDark, step, place, followed, brush, history.dead]);

  const nameOf = (at: number) => tokenName(history.ids?.[lives.order[at] ?? 0] ?? lives.order[at] ?? 0, history.texts[lives.order[at] ?? 0]);
  const point = (at: number) => {
    hovered.value = lives.order[Math.max(0, Math.min(lives.order.length - 1, at))] ?? null;
  };
  const handlers = usePointer({ frame, canvas, point, hovered, range, setBrush });
  const text =
    chosen === undefined
      ? `${shown(lives.tokens)} tokens`
      : `${quotedToken(nameOf(chosen))}${history.dead.includes(lives.order[chosen] ?? -1) ? ", dead" : ""} · ${lifeText(lives, chosen)}`;
  return (
    <section class="token-life" aria-label="Life of the tokens">
      <div class="bar">
        <h2>Life of the tokens</h2>
        <Legend lives={lives} isDark={isDark} />
      </div>
      <div
        class="life-plot"
        role="slider"
        tabIndex={0}
        aria-orientation="vertical"
        aria-label="Token. Up and down choose a token, left and right its previous or next change, Enter follows it."
        aria-valuemin={1}
        aria-valuemax={lives.order.length}
        aria-valuenow={(chosen ?? 0) + 1}
        aria-valuetext={text}
        onKeyDown={(event) => {
          const at = chosen ?? -1;
          const keys: Record<string, () => void> = {
            ArrowDown: () => point(at + 1),
            ArrowUp: () => point(at - 1),
            PageDown: () => point(at + 10),
            PageUp: () => point(at - 10),
            Home: () => point(0),
            End: () => point(lives.order.length - 1),
            ArrowLeft: () => moveToChange(lives, at, cursor, -1),
            ArrowRight: () => moveToChange(lives, at, cursor, 1),
            Enter: () => setQuery({ token: at < 0 ? "" : String(lives.order[at]) }),
            Escape: () => {
              hovered.value = null;
              range.value = null;
            },
          };
          const act = keys[event.key];
          if (!act) return;
          event.preventDefault();
          event.stopPropagation();
          act();
        }}
        {...handlers}
        onBlur={() => {
          hovered.value = null;
        }}
      >
        <canvas ref={canvas} style={{ height: `${lifeHeight(lives)}px` }} />
      </div>
      <p class="life-text" data-testid="life">
        {text}
      </p>
      <p class="note">{captionOf(lives)}</p>
    </section>
  );
}

interface PointerInput {
  frame: LifeFrame;
  canvas: { readonly current: HTMLCanvasElement | null };
  point(place: number): void;
  hovered: HoveredToken;
  range: StepRange;
  setBrush(brush: readonly [number, number] | null): void;
}

/** Pixels that a pointer moves before it is a drag. */
const dragged = 5;

/** A move points at a token, a click follows it, a horizontal drag selects steps, a double click shows all steps. */
function usePointer({ frame, canvas, point, hovered, range, setBrush }: PointerInput) {
  const start = useRef<{ x: number; isDrag: boolean } | null>(null);
  const placeOf = (event: PointerEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return { x: 0, at: 0 };
    const share = (event.clientY - box.top) / rowsHeight(frame.lives);
    return { x: event.clientX - box.left, at: tokenAt(frame.lives, share) };
  };
  return {
    onPointerDown(event: PointerEvent) {
      const { x, at } = placeOf(event);
      start.current = { x, isDrag: false };
      point(at);
      canvas.current?.setPointerCapture(event.pointerId);
    },
    onPointerMove(event: PointerEvent) {
      const { x, at } = placeOf(event);
      const begun = start.current;
      if (!begun) return point(at);
      if (Math.abs(x - begun.x) > dragged) begun.isDrag = true;
      if (begun.isDrag) setBrush([Math.min(x, begun.x), Math.max(x, begun.x)]);
    },
    onPointerUp(event: PointerEvent) {
      const begun = start.current;
      start.current = null;
      setBrush(null);
      const { x, at } = placeOf(event);
      if (!begun) return;
      if (!begun.isDrag) {
        setQuery({ token: String(frame.lives.order[at] ?? "") });
        return;
      }
      const [from, to] = [stepAtX(frame, Math.min(x, begun.x)), stepAtX(frame, Math.max(x, begun.x))];
      range.value = [from, Math.max(to, from + 1)];
    },
    onPointerCancel() {
      start.current = null;
      setBrush(null);
    },
    onPointerLeave() {
      if (!start.current) hovered.value = null;
    },
    onDblClick() {
      range.value = null;
    },
  };
}

/** Place of the token at a share of the height, from the top. */
function tokenAt({ starts }: TokensDocument, share: number): number {
  const rows = starts.length - 1;
  const at = Math.max(0, Math.min(rows - 1e-6, share * rows));
  const row = Math.floor(at);
  const [from = 0, to = 0] = [starts[row], starts[row + 1]];
  return Math.min(to - 1, from + Math.floor((at - row) * (to - from)));
}

/** The spans of the drawn row that holds a token, in order. */
function spansAt({ starts, spans }: TokensDocument, place: number): { from: number; to: number; hole: number }[] {
  const row = starts.findLastIndex((first) => first <= place);
  return spans.row.flatMap((each, at) => (each === row ? [{ from: spans.from[at] ?? 0, to: spans.to[at] ?? 0, hole: spans.hole[at] ?? 0 }] : []));
}

/** Spans that are named before the rest is summed up. */
const namedSpans = 4;

function lifeText(lives: TokensDocument, place: number): string {
  const spans = spansAt(lives, place);
  const named = spans.slice(0, namedSpans).map(({ from, to, hole }) => {
    const when = from === to ? `at step ${shown(from)}` : `from step ${shown(from)} to ${shown(to)}`;
    return `${hole === 0 ? "alone" : `black hole ${hole}`} ${when}`;
  });
  const rest = spans.length - named.length;
  const text = `${named.join(", ")}${rest > 0 ? `, and ${rest} more changes` : ""}`;
  return lives.areEqual ? text : `most of the ${lives.held} tokens of its row: ${text}`;
}

/** Move the cursor to the previous or next step at which a token changes its black hole. */
function moveToChange(lives: TokensDocument, place: number, cursor: StepCursor, direction: 1 | -1): void {
  const now = cursor.value ?? lives.last;
  const changes = place < 0 ? [...new Set(lives.spans.from)].sort((a, b) => a - b) : spansAt(lives, place).map(({ from }) => from);
  const next = direction > 0 ? changes.find((step) => step > now) : changes.findLast((step) => step < now);
  cursor.value = next ?? (direction > 0 ? lives.last : lives.first);
}

function captionOf({ held, areEqual, every, tokens }: TokensDocument): string {
  const rows =
    held === 1
      ? "One row per token"
      : areEqual
        ? `One row per token; up to ${held} tokens with equal lives share a row`
        : `One row per ${held} of ${shown(tokens)} tokens, in the colour of most of them`;
  const sampled = every > 1 ? ` Black holes are followed in 1 of ${every} snapshots.` : "";
  return `${rows}. Without colour, a token is alone. The steps are on a logarithmic axis.${areEqual ? " The changes of a token are marked in all charts." : ""} Drag to zoom all charts, double-click for all steps.${sampled}`;
}

function Legend({ lives, isDark }: { lives: TokensDocument; isDark: boolean }) {
  const others = lives.holes.count - shownHoles;
  const largest = lives.holes.largest.slice(0, shownHoles);
  return (
    <ul class="life-key" aria-label="Colours">
      {largest.map((tokens, at) => (
        <li key={at}>
          <span class="life-swatch" style={{ background: holeColour(at + 1, isDark) }} /> {at + 1}: up to {shown(tokens)}
        </li>
      ))}
      {others > 0 && (
        <li>
          <span class="life-swatch" style={{ background: holeColour(shownHoles + 1, isDark) }} /> {shown(others)} smaller
        </li>
      )}
      <li>
        <span class="life-swatch dead" /> dead token
      </li>
    </ul>
  );
}
