import type { RowPathDocument } from "./documents.js";

type Place = readonly [x: number, y: number];

/**
 * Draw the way of a token up to a state, paler the longer ago.
 *
 * @param seen where a place of the path's basis is on the canvas.
 * @param here where the token is now: the way ends there.
 */
export function drawTrail(
  context: CanvasRenderingContext2D,
  path: RowPathDocument,
  state: number,
  seen: (place: readonly number[]) => Place,
  here: Place,
): void {
  const gone = path.states.findIndex((each) => each >= state);
  const points = [...path.places.slice(0, gone < 0 ? path.places.length : gone).map(seen), here];
  context.lineWidth = 1.6;
  for (let at = 1; at < points.length; at++) {
    const [from, to] = [points[at - 1] ?? here, points[at] ?? here];
    context.globalAlpha = 0.2 + 0.8 * (at / points.length);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  }
  context.globalAlpha = 1;
}
