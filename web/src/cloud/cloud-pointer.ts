import type { HoveredToken } from "../chart/step-cursor.js";
import type { CloudPicture } from "./cloud-picture.js";
import type { ViewAngle } from "./view-angle.js";

interface PointerActions {
  angle: ViewAngle;
  zoom: { current: number };
  request(): void;
  follow(row: number | null): void;
  hovered: HoveredToken;
}

/** A drag turns the cloud, the wheel comes nearer, a click follows a token. @returns how to end that. */
export function handlePointer(element: HTMLCanvasElement, picture: CloudPicture, { angle, zoom, request, follow, hovered }: PointerActions): () => void {
  let from: { x: number; y: number; moved: number } | undefined;
  const down = (event: PointerEvent) => {
    from = { x: event.clientX, y: event.clientY, moved: 0 };
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    if (!from) {
      hovered.value = picture.rowAt(event.clientX, event.clientY);
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
  const leave = () => {
    hovered.value = null;
  };
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
