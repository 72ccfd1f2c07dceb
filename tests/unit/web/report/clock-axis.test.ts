import { expect, test } from "vitest";
import { stepAxis } from "../../../../src/figures/panels.js";
import { clockAxis, clockWords } from "../../../../web/report/clock-axis.js";

/** Two steps a second to step 100, then one; an epoch has 400 steps. */
const clock = { steps: [0, 100, 400], epochs: [0, 0.25, 1], seconds: [0, 50, 350] };

test("ticks of time lie where the training was at that time", () => {
  const axis = clockAxis(stepAxis(), clock, "seconds", [0, 400]);
  expect(axis).toMatchObject({ label: "time of training", unit: "min" });
  // Minute m is step 100 + (60 m − 50).
  expect(axis.ticks).toEqual([{ at: 0, text: "0" }, ...[1, 2, 3, 4, 5].map((minute) => ({ at: 50 + 60 * minute, text: String(minute) }))]);
});

test("ticks of epochs follow the steps that are shown, also on a logarithmic axis", () => {
  expect(clockAxis(stepAxis(), clock, "epochs", [200, 300])).toMatchObject({ label: "epoch", unit: null });
  expect(clockAxis(stepAxis(), clock, "epochs", [200, 300]).ticks?.map(({ at, text }) => [Math.round(at), text])).toEqual([
    [200, "0.5"],
    [220, "0.55"],
    [240, "0.6"],
    [260, "0.65"],
    [280, "0.7"],
    [300, "0.75"],
  ]);
  const log = clockAxis(stepAxis({ scale: "symlog" }), clock, "epochs", [0, 400]).ticks?.map(({ text }) => text);
  expect(log).toEqual(["0.01", "0.1", "1"]); // of steps 4, 40 and 400; before the first step there is no room
});

test("what came before the first step that the clock knows has no tick", () => {
  const late = { steps: [1, 400], epochs: [0.0025, 1], seconds: [0.2, 80] };
  const { ticks, unit } = clockAxis(stepAxis({ scale: "symlog" }), late, "seconds", [0, 400]);
  expect([unit, ticks?.map(({ text }) => text)]).toEqual(["s", ["1", "10"]]);
});

test("a step is told as epoch and time", () => expect(clockWords(clock, 100)).toBe("epoch 0.25, 50 s"));

test("where the run tells no epochs, the axis of steps stays, and a step is told by its time", () => {
  const timeAlone = { ...clock, epochs: null };
  expect(clockAxis(stepAxis(), timeAlone, "epochs", [0, 400])).toEqual(stepAxis());
  expect(clockWords(timeAlone, 100)).toBe("50 s");
});
