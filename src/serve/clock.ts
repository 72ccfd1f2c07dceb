import type { Clock } from "./documents.js";
import type { RunLog } from "./run-log.js";

/** Steps of a clock: between them it is read along a straight line. */
const mostSteps = 400;

/** Which epoch and how many seconds of training each step was at; nothing in a run that has taken no step. */
export function clockOf(steps: RunLog["steps"]): Clock | null {
  if (steps.length === 0) return null;
  const every = Math.max(1, (steps.length - 1) / (mostSteps - 1));
  const places = Array.from({ length: Math.min(steps.length, mostSteps) }, (_, at) => Math.round(at * every));
  const told = places.flatMap((place) => steps[place] ?? []);
  return {
    steps: [0, ...told.map(({ step }) => step)],
    seconds: [0, ...told.map(({ seconds }) => seconds)],
    epochs: told.every(({ epoch }) => epoch !== null) ? [0, ...told.map(({ epoch }) => epoch ?? 0)] : null,
  };
}
