import type { HoveredToken } from "../shared/step-cursor.js";
import type { Camera } from "./camera.js";
import type { CloudPicture } from "./cloud-picture.js";

interface PointerActions {
  camera: Camera;
  /** Whether a drag turns the cloud without Shift. */
  turns: { readonly current: boolean };
  follow(row: number | null): void;
  hovered: HoveredToken;
  setActive(isActive: boolean): void;
}

/** A press that moves less than this, in pixels, is a click. */
const leastDrag = 4;
const panStep = 40;
const zoomStep = 1.25;

/**
 * Moves the camera with pointer and keys, but only while the stage is active, so that the page scrolls until then. A click, the focus or Enter activates it; Escape
 * and the loss of the focus end that. A drag pans, with Shift it turns; wheel and pinch zoom at the pointer; a click follows a token.
 *
 * @returns a function that ends this.
 */
export function handlePointer(element: HTMLCanvasElement, picture: CloudPicture, actions: PointerActions): () => void {
  const ended = new AbortController();
  const listen = <Type extends keyof HTMLElementEventMap>(type: Type, listener: (event: HTMLElementEventMap[Type]) => void) =>
    element.addEventListener(type, listener, { signal: ended.signal, passive: false });
  const gesture = new Gesture(element, picture, actions);
  let isActive = false;
  const activate = (is: boolean) => {
    if (is === isActive) return;
    isActive = is;
    actions.setActive(is);
  };
  listen("focus", () => activate(true));
  listen("blur", () => activate(false));
  listen("pointerdown", (event) => gesture.down(event, isActive));
  listen("pointermove", (event) => gesture.move(event));
  listen("pointerup", (event) => gesture.up(event));
  listen("pointercancel", (event) => gesture.cancel(event));
  listen("pointerleave", () => {
    actions.hovered.value = null;
  });
  listen("click", () => activate(true));
  listen("wheel", (event) => {
    if (!isActive || event.ctrlKey) return; // Ctrl zooms the page
    event.preventDefault();
    actions.camera.zoomAt(Math.exp(-event.deltaY / 500), ...gesture.fromMiddle(event), picture.size);
  });
  listen("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") activate(true);
    else if (!isActive || !moveByKey(event, picture, actions.camera)) {
      if (event.key !== "Escape" || !isActive) return;
      activate(false);
    }
    event.preventDefault();
    event.stopPropagation();
  });
  if (document.activeElement === element) activate(true);
  return () => ended.abort();
}

/** @returns whether the key moves the camera. */
function moveByKey({ key, shiftKey }: KeyboardEvent, { size }: CloudPicture, camera: Camera): boolean {
  const directions: Readonly<Record<string, readonly [right: number, down: number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  const [right, down] = directions[key] ?? [0, 0];
  if (right !== 0 || down !== 0) {
    if (shiftKey) camera.turn((right * panStep) / 180, (-down * panStep) / 180);
    else camera.pan(-right * panStep, -down * panStep, size);
    return true;
  }
  const factor = key === "+" || key === "=" ? zoomStep : key === "-" ? 1 / zoomStep : undefined;
  if (factor === undefined) return false;
  camera.zoomAt(factor, 0, 0, size);
  return true;
}

type Point = { x: number; y: number };

/** The pointers that press the stage. */
class Gesture {
  readonly #element: HTMLCanvasElement;
  readonly #picture: CloudPicture;
  readonly #actions: PointerActions;
  readonly #pressed = new Map<number, Point>();
  #moved = 0;
  /** Whether a finger may move the camera: else it scrolls the page. */
  #isHeld = false;
  #wasActive = false;

  constructor(element: HTMLCanvasElement, picture: CloudPicture, actions: PointerActions) {
    this.#element = element;
    this.#picture = picture;
    this.#actions = actions;
  }

  /** Where an event is, in pixels from the middle of the picture. */
  fromMiddle({ clientX, clientY }: MouseEvent): [x: number, y: number] {
    const box = this.#element.getBoundingClientRect();
    return [clientX - box.left - box.width / 2, clientY - box.top - box.height / 2];
  }

  down(event: PointerEvent, isActive: boolean): void {
    if (event.button !== 0) return;
    if (this.#pressed.size === 0) {
      this.#moved = 0;
      this.#wasActive = isActive;
      this.#isHeld = isActive || event.pointerType === "mouse";
    } else this.#moved = leastDrag; // two fingers do not click
    const [x, y] = this.fromMiddle(event);
    this.#pressed.set(event.pointerId, { x, y });
    if (this.#isHeld) this.#element.setPointerCapture(event.pointerId);
  }

  move(event: PointerEvent): void {
    const { camera, turns, hovered } = this.#actions;
    const before = this.#pressed.get(event.pointerId);
    if (!before) {
      if (this.#pressed.size === 0 && event.pointerType !== "touch") hovered.value = this.#picture.rowAt(event.clientX, event.clientY);
      return;
    }
    const [x, y] = this.fromMiddle(event);
    const [dx, dy] = [x - before.x, y - before.y];
    const others = [...this.#pressed].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    this.#pressed.set(event.pointerId, { x, y });
    this.#moved += Math.abs(dx) + Math.abs(dy);
    if (!this.#isHeld || this.#moved < leastDrag) return;
    const [other] = others;
    if (other) this.#pinch(before, { x, y }, other);
    else if (event.shiftKey !== turns.current) camera.turn(dx / 180, -dy / 180);
    else camera.pan(dx, dy, this.#picture.size);
  }

  up(event: PointerEvent): void {
    const isClick = this.#pressed.delete(event.pointerId) && this.#pressed.size === 0 && this.#moved < leastDrag;
    if (!isClick) return;
    const row = this.#picture.rowAt(event.clientX, event.clientY);
    // The click that activates the stage does not let go of a token.
    if (row !== null || this.#wasActive) this.#actions.follow(row);
  }

  cancel(event: PointerEvent): void {
    this.#pressed.delete(event.pointerId);
  }

  /** Two fingers: their distance zooms, their middle pans. */
  #pinch(before: Point, now: Point, other: Point): void {
    const { camera } = this.#actions;
    const { size } = this.#picture;
    const distance = (point: Point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    const middle = (point: Point): [number, number] => [(point.x + other.x) / 2, (point.y + other.y) / 2];
    const [from, to] = [middle(before), middle(now)];
    camera.pan(to[0] - from[0], to[1] - from[1], size);
    camera.zoomAt(distance(now) / distance(before), ...to, size);
  }
}
