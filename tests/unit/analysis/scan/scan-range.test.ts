import { describe, expect, test } from "vitest";
import { analysisSettings, type Observation } from "../../../../src/analysis/scan/observation.js";
import { type RangeScan, type ScanRequest, scanRange } from "../../../../src/analysis/scan/scan-range.js";
import { countsTable, timelineFields } from "../../../../src/analysis/scan/state-scanner.js";
import type { History } from "../../../../src/formats/history.js";
import { memoryHistory } from "../memory-source.js";

const settings = analysisSettings({});

/** Scan some states of a history, with what was read and told on the way. */
function scan(history: History, request: Partial<ScanRequest>, observations: readonly Observation<unknown>[] = []) {
  const { dtype, tokens, dims, states } = history;
  const reads: string[] = [];
  const told: number[] = [];
  const read = (first: number, count: number, target: Uint8Array): void => {
    reads.push(`${first}+${count}`);
    history.read(first, count, target);
  };
  const work = scanRange(read, { dtype, tokens, dims, first: 0, end: states, settings, kernels: "plain", ...request }, observations);
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return { ...step.value, reads, told };
    told.push(step.value);
  }
}

const field = ({ counts }: RangeScan, name: (typeof timelineFields)[number]): number[] =>
  Array.from({ length: counts.length / timelineFields.length }, (_, state) => counts[state * timelineFields.length + timelineFields.indexOf(name)] ?? 0);

/** Writes down what it is shown. */
const writing: Observation<string[]> = {
  observe({ first, end, firstStep }) {
    const lines = [`${first} to ${end}, steps from ${firstStep}`];
    return {
      before: (values) => lines.push(`before: ${values.join()}`),
      state: (state, values) => lines.push(`state ${state}: ${values.join()}`),
      step: (step, { weight }) => lines.push(`step ${step}: ${weight.L1.join()}`),
      end: () => lines,
    };
  },
  merge: (first, second) => [...first, ...second],
};

const history = memoryHistory("U8", [4, 2, 1], Uint8Array.of(1, 1, 1, 4, 6, 6, 6, 6));

describe.each(["wasm", "plain"] as const)("by the %s kernels", (kernels) => {
  test("the whole history, from state 0: no step arrives there", () => {
    const found = scan(history, { kernels }, [writing]);
    expect(field(found, "C")).toEqual([1, 0, 1, 1]);
    expect(field(found, "escapes")).toEqual([0, 2, 0, 0]);
    expect(found.observed).toEqual([
      ["0 to 4, steps from 1", "state 0: 1,1", "state 1: 1,4", "step 1: 0,3", "state 2: 6,6", "step 2: 5,2", "state 3: 6,6", "step 3: 0,0"],
    ]);
  });

  test("a range knows the state before it, and counts that for nothing but its first step", () => {
    const found = scan(history, { kernels, first: 2, end: 3 }, [writing]);
    expect(field(found, "C")).toEqual([1]);
    expect(field(found, "captures")).toEqual([2]);
    expect(found.observed).toEqual([["2 to 3, steps from 2", "before: 1,4", "state 2: 6,6", "step 2: 5,2"]]);
  });

  test("states larger than a chunk are read one by one, small ones together, and each is told", () => {
    const small = scan(history, { kernels, first: 1 });
    expect([small.reads, small.told]).toEqual([["0+1", "1+3"], [3]]);
    const large = memoryHistory("U8", [3, 1, 400_000], new Uint8Array(3 * 400_000).fill(7));
    const { reads, told, counts } = scan(large, { kernels });
    expect([reads, told]).toEqual([
      ["0+1", "1+1", "2+1"],
      [1, 2, 3],
    ]);
    expect(counts.length).toBe(3 * timelineFields.length);
  });
});

test("steps are measured only where some observer looks at them, and every observer sees all it asks for", () => {
  const counting = (of: "state" | "step"): Observation<number> => ({
    observe() {
      let times = 0;
      return { [of]: () => times++, end: () => times };
    },
    merge: (a, b) => a + b,
  });
  expect(scan(history, {}, [counting("state")]).observed).toEqual([4]);
  expect(scan(history, {}, [counting("step"), counting("state")]).observed).toEqual([3, 4]);
});

test("bfloat16 steps have cells of the state before, across chunks too", () => {
  // From 1 by 2^-6 is two cells of 2^-7; 300,000 dims are a chunk each.
  const dims = 300_000;
  const states = [0x3f80, 0x3f82, 0x3f82].flatMap((bits) => new Array<number>(dims).fill(bits));
  const wide = memoryHistory("BF16", [3, 1, dims], new Uint8Array(Uint16Array.from(states).buffer));
  const cells: Observation<(number | undefined)[]> = {
    observe() {
      const largest: (number | undefined)[] = [];
      return { step: (_, { lattice }) => largest.push(lattice?.Linf[0]), end: () => largest };
    },
    merge: (a, b) => [...a, ...b],
  };
  expect(scan(wide, {}, [cells]).observed).toEqual([[2, 0]]);
});

test("counts go into the caller's table", () => {
  const table = countsTable(4, 2);
  const { counts } = scan(history, { counts: table });
  expect(counts).toBe(table);
  expect(table[timelineFields.indexOf("unique")]).toBe(1);
});
