import { BhBridgeError } from "../errors.js";
import type { TrainerCallback } from "./trainer-callback.js";

/** The longest time that a timer of Node takes, 24.8 days; a longer one would be over at once. */
const longestMs = 2 ** 31 - 1;
const decisive: readonly unknown[] = ["step_end", "log", "evaluate"];

type Problem = [path: string, value: unknown, expected: string];

/** See that times and cadences of callbacks are ones. @throws {BhBridgeError} `USAGE` naming the callback and the field. */
export function checkCallbacks(callbacks: readonly TrainerCallback[]): void {
  callbacks.forEach((callback, index) => {
    const [problem] = problemsOf(callback);
    if (!problem) return;
    const [path, value, expected] = problem;
    throw new BhBridgeError("USAGE", `callbacks[${index}].${path} of ${callback.constructor.name} is ${String(value)}: give ${expected}`);
  });
}

function problemsOf({ timeoutMs, decide }: TrainerCallback): Problem[] {
  const times: [string, number | undefined][] = [
    ["timeoutMs", timeoutMs],
    ["decide.timeoutMs", decide?.timeoutMs],
  ];
  const problems = times.filter(([, value]) => value !== undefined && !(value > 0 && value <= longestMs));
  const every = decide?.every;
  const other = decide?.on?.find((event) => !decisive.includes(event));
  return [
    ...problems.map(([path, value]): Problem => [path, value, `milliseconds above 0, and up to ${longestMs} (24 days)`]),
    ...(every === undefined || (Number.isSafeInteger(every) && every >= 1)
      ? []
      : [["decide.every", every, "a whole number of steps, from 1 on"] satisfies Problem]),
    ...(other === undefined ? [] : [["decide.on", other, `some of ${decisive.join(", ")}`] satisfies Problem]),
  ];
}
