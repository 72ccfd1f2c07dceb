import { expect, test } from "vitest";
import { countTrials } from "../../../src/sweep/sweep-document.js";
import { summaryText } from "../../../src/sweep/sweep-summary.js";
import { sweepTrial as trial } from "./sweep-trial.js";

test("a row a point: numbers over its seeds with n and spread, and who failed", () => {
  const trials = [
    trial({ a: 1, seed: 1 }, 2),
    trial({ a: 1, seed: 2 }, 4),
    trial({ a: "x", seed: 1 }, null),
    trial({ a: "x", seed: 2 }, null, { trial: "0123", status: "failed", result: null, reason: "DISK_FULL: no room\nmore" }),
    trial({ a: "x", seed: 3 }, 9, { trial: "4567", status: "failed", reason: "not finite" }),
  ];
  const text = summaryText({ schema: "bh-bridge/sweep@1", name: "s", directory: null, trials, counts: countTrials(trials) });
  expect(text).toBe(`# Sweep s

5 trials: 3 completed, 2 failed.
Each number is the mean over n seeds ± their standard deviation (n − 1); with one seed it has none.

| a | n | C | P | unique | final loss | displacement |
|---|---|---|---|---|---|---|
| 1 | 2 | 1 ± 0 | 29 ± 0 | 100 ± 0 | 3 ± 1.414 | 0.5 ± 0 |
| x | 1 | 1 | 29 | 100 | – | 0.5 |

## Failed

- 0123: DISK_FULL: no room
- 4567: not finite
`);
});

test("no absolute path of the machine stands in it", () => {
  const trials = [trial({ "data.corpus": "/home/ada/text.txt" }, 2, { status: "failed", reason: "cannot write /home/ada/sweeps/s/runs/a/events.jsonl" })];
  const text = summaryText({ schema: "bh-bridge/sweep@1", name: "s", directory: "/home/ada/sweeps/s", trials, counts: countTrials(trials) });
  expect(text).toContain("| ../../text.txt | 0 |");
  expect(text).toContain(": cannot write runs/a/events.jsonl\n");
  expect(text).not.toContain("/home");
});
