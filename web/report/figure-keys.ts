import type { Place } from "./place.js";

/** What a figure does, whoever asks for it. */
interface Doing {
  /** The place at a share of the width, from 0 to 1. */
  placeAt(share: number): Place | undefined;
  /** Show the values of a place beside a point of the window. */
  pointAt(place: Place, x: number, y: number): void;
  /** Show these steps; null for all. */
  zoom(steps: [number, number] | null): void;
  leave(): void;
}

const small = 0.01;
const large = 0.1;
/** Of the width, on both sides of the cursor. */
const zoomed = 0.25;

/** What a pointer does with a figure over the steps, by keys: arrows move the cursor, + comes nearer to it, − and Escape go back. */
export function takeKeys(drawing: HTMLElement, title: string, { placeAt, pointAt, zoom, leave }: Doing): void {
  let share = 0.5;
  const moveTo = (to: number) => {
    share = Math.min(1, Math.max(0, to));
    const place = placeAt(share);
    const matrix = place?.svg.getScreenCTM();
    if (!place || !matrix) return;
    const { x, y } = new DOMPoint(place.px, place.py).matrixTransform(matrix);
    pointAt(place, x, y);
  };
  const comeNearer = () => {
    const [low, high] = [placeAt(Math.max(0, share - zoomed)), placeAt(Math.min(1, share + zoomed))];
    if (low && high && low.x < high.x) zoom([low.x, high.x]);
    moveTo(0.5);
  };
  const showAll = () => {
    zoom(null);
    moveTo(share);
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => moveTo(share - small),
    ArrowRight: () => moveTo(share + small),
    PageDown: () => moveTo(share - large),
    PageUp: () => moveTo(share + large),
    Home: () => moveTo(0),
    End: () => moveTo(1),
    "+": comeNearer,
    "-": showAll,
    Escape: showAll,
  };
  drawing.tabIndex = 0;
  drawing.setAttribute("role", "group");
  drawing.setAttribute("aria-label", `${title}: arrow keys read values, + zooms, Escape shows all`);
  drawing.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  drawing.addEventListener("focus", () => {
    if (drawing.matches(":focus-visible")) moveTo(share);
  });
  drawing.addEventListener("blur", leave);
}
