import type { SweepTrial } from "../../../src/sweep/sweep-document.js";

/** A trial that has completed, with this loss at its end. */
export function sweepTrial(set: SweepTrial["set"], loss: number | null, changes: Partial<SweepTrial> = {}): SweepTrial {
  const result = {
    steps: 10,
    seconds: 1,
    finite: true,
    finalLoss: loss,
    census: { rows: 128, unique: 100, C: 1, P: 29, populations: [29] },
    displacement: { float64: 0.5, float32: 0.5, bfloat16: 0.5 },
    verdict: { result: "null" as const, reason: "" },
  };
  return { trial: JSON.stringify(set), status: "completed", run: "/runs/x", set, reason: null, result, ...changes };
}
