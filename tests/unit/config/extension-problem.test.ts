import { expect, test } from "vitest";
import { extensionProblem } from "../../../src/config/extension-problem.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

const of = (training: object) => parseRunConfig({ training: { max_steps: 100, ...training } });

test.each(["constant", "constant_with_warmup", "inverse_sqrt"])("%s does not know its end: its run can be made longer or shorter", (lr_scheduler_type) => {
  expect(extensionProblem(of({ lr_scheduler_type }), 200, 100)).toBeUndefined();
  expect(extensionProblem(of({ lr_scheduler_type }), 80, 60)).toBeUndefined();
});

test.each(["linear", "cosine", "polynomial"])("%s was planned for its number of steps", (lr_scheduler_type) => {
  expect(extensionProblem(of({ lr_scheduler_type }), 200, 100)).toContain(`its schedule "${lr_scheduler_type}" was planned for 100 steps`);
});

test.each(["warmup_steps", "logging_steps"])("training.%s below 1 is a fraction of the steps, which would change what was done", (field) => {
  expect(extensionProblem(of({ lr_scheduler_type: "constant", [field]: 0.1 }), 200, 100)).toContain(`training.${field} is a fraction`);
  expect(extensionProblem(of({ lr_scheduler_type: "constant", [field]: 10 }), 200, 100)).toBeUndefined();
});

test("a run has at least the steps that it has taken", () => {
  expect(extensionProblem(of({ lr_scheduler_type: "constant" }), 50, 60)).toBe("it has taken 60 steps already");
  expect(extensionProblem(of({ lr_scheduler_type: "constant" }), 60, 60)).toBeUndefined();
});
