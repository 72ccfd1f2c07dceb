import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LedgerLine } from "../../../src/sweep/ledger.js";
import { sweepDocument, sweepDocumentSchema, trialStates } from "../../../src/sweep/sweep-document.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { sweepTrial } from "./sweep-trial.js";

test("trials are counted by status, also the statuses that none has", () => {
  const trials = [sweepTrial({ seed: 1 }, 2), sweepTrial({ seed: 2 }, null), sweepTrial({ seed: 3 }, 2, { status: "pruned" })];
  const document = sweepDocumentSchema.parse(sweepDocument("sigma", null, trials));
  expect(document.counts).toEqual({ planned: 0, running: 0, completed: 2, failed: 0, pruned: 1, lost: 0, skipped: 0 });
  expect(document.trials).toEqual(trials);
});

const directory = temporaryDirectory();
mkdirSync(join(directory, "runs", "there"), { recursive: true });

const trialResultExample: LedgerLine["result"] = {
  steps: 10,
  seconds: 1,
  finite: false,
  finalLoss: null,
  census: { rows: 128, unique: 128, C: 0, P: 0, populations: [] },
  displacement: { float64: null, float32: null, bfloat16: null },
  verdict: { result: "degenerate", reason: "" },
};

function statusOf(line: Omit<LedgerLine, "at" | "trial"> | undefined, isUnderWay: boolean) {
  const [state] = trialStates(
    directory,
    [{ trial: "t", set: {} }],
    () => line && { at: "", trial: "t", ...line },
    () => isUnderWay,
  );
  return state;
}

test("a trial without a line is planned", () => {
  expect(statusOf(undefined, true)).toEqual({ trial: "t", status: "planned", run: null, set: {}, reason: null, result: null });
});

test("what runs without a controller is lost, and has its run to go on with", () => {
  expect(statusOf({ status: "running", run: "runs/there" }, true)?.status).toBe("running");
  expect(statusOf({ status: "running", run: "runs/there" }, false)).toMatchObject({ status: "lost", run: join(directory, "runs/there") });
});

test("a trial that failed on its way may have no run; one that took all its steps is lost with its run, as a completed one is", () => {
  expect(statusOf({ status: "failed", run: "runs/gone" }, false)?.status).toBe("failed");
  expect(statusOf({ status: "failed", run: "runs/there", result: trialResultExample }, false)?.status).toBe("failed");
  expect(statusOf({ status: "failed", run: "runs/gone", result: trialResultExample }, false)?.status).toBe("lost");
});

test("a completed trial whose run is gone is lost", () => {
  expect(statusOf({ status: "completed", run: "runs/there" }, false)?.status).toBe("completed");
  expect(statusOf({ status: "completed", run: "runs/gone" }, true)).toMatchObject({
    status: "lost",
    run: null,
    reason: `${join(directory, "runs/gone")} is gone`,
  });
});
