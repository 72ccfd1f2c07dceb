import { expect, test } from "vitest";
import { ManyRuns, requireWorkers } from "../../../src/sweep/sweep.js";
import type { TrialEvent } from "../../../src/sweep/sweep-document.js";

const trial = { trial: "0123", status: "running" as const, run: null, set: {}, reason: null, result: null };
const step = (number: number): TrialEvent => ({ kind: "step", trial, step: number, loss: 1 });

async function kindsOf(runs: ManyRuns<unknown>): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { kind } of runs) kinds.push(kind);
  return kinds;
}

test("every reader is told of every event, and then of the result", async () => {
  const runs = new ManyRuns(async (tell) => {
    await Promise.resolve();
    tell({ kind: "started", trial, fromStep: 0 });
    tell(step(1));
    tell({ kind: "ended", trial });
    return "document";
  });
  expect(await Promise.all([kindsOf(runs), kindsOf(runs)])).toEqual(Array(2).fill(["started", "step", "ended"]));
  expect(await runs.result).toBe("document");
});

test("a reader that comes when all has ended is told so at once", async () => {
  const runs = new ManyRuns(async () => "document");
  await runs.result;
  expect(await kindsOf(runs)).toEqual([]);
});

test("a failure ends the loop of whoever iterates", async () => {
  const runs = new ManyRuns(async () => {
    await Promise.resolve();
    throw new Error("no room");
  });
  await expect(kindsOf(runs)).rejects.toThrow("no room");
});

test("a reader that lags misses steps, and no beginning and no end", async () => {
  const runs = new ManyRuns(async (tell) => {
    await new Promise((resolve) => setImmediate(resolve));
    for (let number = 1; number <= 2000; number++) tell(step(number));
    tell({ kind: "ended", trial });
  });
  const kinds = await kindsOf(runs);
  expect(kinds.at(-1)).toBe("ended");
  expect(kinds.length).toBeLessThan(2001);
});

test.each([undefined, 1, 64])("%s workers are accepted", (workers) => expect(() => requireWorkers(workers)).not.toThrow());

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%s workers are refused", (workers) => {
  expect(() => requireWorkers(workers)).toThrow(expect.objectContaining({ code: "USAGE", message: `workers must be a whole number above 0, got ${workers}` }));
});
