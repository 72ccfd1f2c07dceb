import fc from "fast-check";
import { expect, test } from "vitest";
import { findingOf, type Whereabouts, whereabouts } from "../../../../src/analysis/timeline/whereabouts.js";
import { memoryHistory } from "../memory-source.js";

/** Rows of one number each; the dead tokens are the last ones. */
async function found(dead: number, states: number[][], steps?: number[]): Promise<Whereabouts> {
  const rows = states[0]?.length ?? 0;
  const history = memoryHistory("F64", [states.length, rows, 1], new Uint8Array(Float64Array.from(states.flat()).buffer));
  const deadTokens = Array.from({ length: dead }, (_, index) => rows - 1 - index);
  return await whereabouts(steps ? { ...history, steps } : history, deadTokens, { workers: 0 });
}

const finding = async (...given: Parameters<typeof found>) => findingOf(await found(...given));
const no = Number.NaN;

test("live and dead tokens are counted together or alone in every snapshot", async () => {
  // Tokens 0 to 2 live, 3 to 5 dead.
  const { counts, live, dead } = await found(3, [
    [1, 1, 1, 1, 1, 1],
    [2, 1, 1, 1, 1, 1],
    [2, 3, 3, 1, 1, 4],
    [2, 1, 3, 1, 1, 4],
  ]);
  expect(counts).toEqual({ deadTogether: [3, 3, 2, 2], deadAlone: [0, 0, 1, 1], liveTogether: [3, 2, 2, 1], liveAlone: [0, 1, 1, 2] });
  expect(live).toEqual({ tokens: 3, everTogether: 3, left: 2, returned: 0, joined: 0, first: { state: 1, tokens: [0] }, last: { state: 3, tokens: [2] } });
  expect(dead).toEqual({ tokens: 3, holes: 1, inHoles: 3, partings: [0, 0, 1, 1] });
});

test("counts and departures are those of a comparison of every pair of rows", async () => {
  const states = fc.array(fc.array(fc.constantFrom(0, -0, 1, 2, no), { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(states, fc.integer({ min: 0, max: 6 }), async (given, dead) => {
      const { counts, live } = await found(dead, given);
      const shares = (state: number[], row: number) => state.some((value, other) => other !== row && value === state[row]);
      const rows = [0, 1, 2, 3, 4, 5];
      const of = (isDead: boolean, together: boolean) =>
        given.map((state) => rows.filter((row) => row >= 6 - dead === isDead && shares(state, row) === together).length);
      expect(counts).toEqual({ deadTogether: of(true, true), deadAlone: of(true, false), liveTogether: of(false, true), liveAlone: of(false, false) });
      const exits = rows
        .filter((row) => row < 6 - dead)
        .map((row) =>
          given.flatMap((state, at) => (at > 0 && shares(given[at - 1] ?? [], row) && !shares(state, row) && !Number.isNaN(state[row]) ? [at] : [])),
        );
      const all = exits.flat();
      expect(live.first?.state).toBe(all.length === 0 ? undefined : Math.min(...all));
      expect(live.last?.state).toBe(all.length === 0 ? undefined : Math.max(...all));
      expect(live.last?.tokens.length).toBe(all.length === 0 ? undefined : exits.filter((own) => own.includes(Math.max(...all))).length);
    }),
    { numRuns: 300 },
  );
});

const together = [1, 1, 1, 1];

test.each([
  ["The 2 dead tokens never part; live tokens leave between steps 1 and 2", 2, [together, [2, 1, 1, 1], [2, 3, 1, 1]]],
  ["The 2 dead tokens never part; live tokens leave at step 1", 2, [together, [2, 3, 1, 1]]],
  ["The 2 dead tokens never part; 1 of 2 live tokens leave at step 1", 2, [together, [2, 1, 1, 1]]],
  ["The 2 dead tokens never part; no live token leaves", 2, [together, together]],
  ["The 2 dead tokens never part; no live token leaves for good, 1 return", 2, [together, [2, 1, 1, 1], together]],
  ["The 3 dead tokens part at step 1 and have 2 rows at the end; no live token leaves", 3, [together, [1, 1, 1, 2]]],
  ["The 3 dead tokens part at step 1 and are together again at the end; no live token leaves", 3, [together, [1, 1, 1, 2], together]],
  [
    "2 of the 3 dead tokens share a row and never part; live tokens never share a row",
    3,
    [
      [1, 2, 3, 3],
      [1, 2, 3, 3],
    ],
  ],
  [
    "The 4 dead tokens start in 2 black holes and never part; no live tokens",
    4,
    [
      [1, 1, 3, 3],
      [1, 1, 1, 1],
    ],
  ],
  [
    "No two of the 2 dead tokens share a row at the start; live tokens never share a row",
    2,
    [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
  ],
  ["No two of the 2 dead tokens share a row at the start, 2 are in black holes at the end; no live token leaves, 2 join", 2, [[1, 2, 3, 4], together]],
  ["No dead tokens; live tokens leave at step 1", 0, [together, [1, 2, 3, 4]]],
  ["The only dead token has no other to part from; live tokens leave at step 1", 1, [together, [1, 2, 3, 4]]],
  ["The 2 dead tokens share a row before the first step; 2 of 2 live tokens are in black holes", 2, [together]],
  ["The 2 dead tokens part at step 1 and have 2 rows at the end; no live token leaves; 4 rows are NaN, first at step 1", 2, [together, [no, no, no, no]]],
])("%s", async (expected, dead, states) => expect(await finding(dead, states)).toBe(expected));

test("where snapshots are sparse, the finding names the snapshots around a departure", async () => {
  const states = [together, together, [2, 3, 1, 1], [2, 3, 1, 1]];
  expect(await finding(2, states, [0, 100, 200, 300])).toBe("The 2 dead tokens never part; live tokens leave between steps 100 and 200");
  expect(await finding(2, states, [0, 1, 2, 1000])).toBe("The 2 dead tokens never part; live tokens leave at step 2");
});

test("10,000 tokens are counted with grouped digits", async () => {
  const start = new Array<number>(10_000).fill(1);
  const end = start.map((_, token) => (token < 4000 ? token + 2 : 1));
  expect(await finding(6000, [start, end])).toBe("The 6,000 dead tokens never part; live tokens leave at step 1");
});
