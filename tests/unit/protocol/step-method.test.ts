import { expect, test } from "vitest";
import { latestMethod, presentEvent, presentManifest, type StepMethod, stepMethodText } from "../../../src/protocol/step-method.js";

const exact: StepMethod = { method: "exact", used: true, reason: "equal bits, and faster", reference_seconds: 0.07, seconds: 0.05 };
const graphed: StepMethod = { method: "graphed", used: false, reason: "no CUDA", reference_seconds: null, seconds: null };

test("the text names the method, whether it is used, why, and both times", () => {
  expect(stepMethodText(exact)).toBe("Exact step: used, equal bits, and faster (70.0 → 50.0 ms)");
  expect(stepMethodText(graphed)).toBe("Graphed step: not used, no CUDA");
  expect(stepMethodText({ ...graphed, method: "compiled", used: true, reason: "on", seconds: 28.04 })).toBe("Compiled step: used, on (28.0 s)");
});

test("the three events of earlier versions become step_method, with the times under their present names", () => {
  const base = { seq: 3, mono: 1.5, used: true, reason: "r" };
  expect(presentEvent({ ...base, type: "exact_step", plain_seconds: 2, exact_seconds: 1 })).toEqual({
    ...base,
    type: "step_method",
    method: "exact",
    reference_seconds: 2,
    seconds: 1,
  });
  expect(presentEvent({ ...base, type: "graphed_step", eager_seconds: null, graphed_seconds: null })).toMatchObject({
    type: "step_method",
    method: "graphed",
    reference_seconds: null,
    seconds: null,
  });
  expect(presentEvent({ ...base, type: "compiled_step", seconds: 30 })).toMatchObject({ method: "compiled", reference_seconds: null, seconds: 30 });
});

test("any other event, and what is no event, stay as they are", () => {
  const event = { type: "step_end", seq: 1 };
  expect(presentEvent(event)).toBe(event);
  expect(presentEvent("step_method")).toBe("step_method");
  expect(presentManifest(null)).toBeNull();
});

test("a used method stays the entry of run.json when another one is not used", () => {
  expect(latestMethod(undefined, graphed)).toBe(graphed);
  expect(latestMethod(exact, graphed)).toBe(exact);
  expect(latestMethod(graphed, exact)).toBe(exact);
  const stopped = { ...exact, used: false, reason: "other bits" };
  expect(latestMethod(exact, stopped)).toBe(stopped);
});

test("an older run.json gets one entry for its methods, and batched_runs for stack", () => {
  const old = {
    format: 1,
    stack: 2,
    exact_step: null,
    compiled_step: { used: true, reason: "on", seconds: 12 },
    graphed_step: { used: false, reason: "no CUDA", eager_seconds: null, graphed_seconds: null },
  };
  expect(presentManifest(old)).toEqual({
    format: 1,
    batched_runs: 2,
    step_method: { method: "compiled", used: true, reason: "on", reference_seconds: null, seconds: 12 },
  });
  expect(presentManifest({ format: 1, exact_step: null })).toEqual({ format: 1, step_method: null });
  expect(presentManifest({ format: 1 })).toEqual({ format: 1 });
});
