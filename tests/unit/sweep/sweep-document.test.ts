import { expect, test } from "vitest";
import { sweepDocument, sweepDocumentSchema } from "../../../src/sweep/sweep-document.js";
import { sweepTrial } from "./sweep-trial.js";

test("trials are counted by status, also the statuses that none has", () => {
  const trials = [sweepTrial({ seed: 1 }, 2), sweepTrial({ seed: 2 }, null), sweepTrial({ seed: 3 }, 2, { status: "pruned" })];
  const document = sweepDocumentSchema.parse(sweepDocument("sigma", null, trials));
  expect(document.counts).toEqual({ planned: 0, running: 0, completed: 2, failed: 0, pruned: 1, lost: 0 });
  expect(document.trials).toEqual(trials);
});
