import { expect, test } from "vitest";
import { checkCallbacks } from "../../../src/bridge/callback-dispatcher.js";
import { type Decider, TrainerCallback } from "../../../src/bridge/trainer-callback.js";

class Watch extends TrainerCallback {}
class Decides extends TrainerCallback {
  override decide: Decider;

  constructor(changes: object) {
    super();
    this.decide = { ask: () => undefined, ...changes };
  }
}

function watching(timeoutMs: number): Watch {
  return Object.assign(new Watch(), { timeoutMs });
}

test("what is left out, the shortest and the longest time, and every event that is asked at are fine", () => {
  const decides = new Decides({ every: 1, on: ["step_end", "log", "evaluate"], timeoutMs: 2 ** 31 - 1 });
  expect(() => checkCallbacks([new Watch(), watching(0.5), watching(2 ** 31 - 1), new Decides({}), decides])).not.toThrow();
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])("a time of %d ms is refused: a timer would be over at once, or never", (timeoutMs) => {
  const message = `callbacks[1].timeoutMs of Watch is ${timeoutMs}: give milliseconds above 0, and up to 2147483647 (24 days)`;
  expect(() => checkCallbacks([new Watch(), watching(timeoutMs)])).toThrow(expect.objectContaining({ code: "USAGE", message }));
});

test.each<[changes: object, message: string]>([
  [{ timeoutMs: 0 }, "callbacks[0].decide.timeoutMs of Decides is 0: give milliseconds above 0, and up to 2147483647 (24 days)"],
  [{ every: 0 }, "callbacks[0].decide.every of Decides is 0: give a whole number of steps, from 1 on"],
  [{ every: 1.5 }, "callbacks[0].decide.every of Decides is 1.5: give a whole number of steps, from 1 on"],
  [{ every: Number.POSITIVE_INFINITY }, "callbacks[0].decide.every of Decides is Infinity: give a whole number of steps, from 1 on"],
  [{ on: ["log", "save"] }, "callbacks[0].decide.on of Decides is save: give some of step_end, log, evaluate"],
])("a decider with %o is refused by name", (changes, message) => {
  expect(() => checkCallbacks([new Decides(changes)])).toThrow(expect.objectContaining({ code: "USAGE", message }));
});
