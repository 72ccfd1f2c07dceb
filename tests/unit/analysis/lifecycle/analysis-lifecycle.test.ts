import { expect, test } from "vitest";
import { lifecycle, lifecycleOf } from "../../../../src/analysis/lifecycle/lifecycle.js";
import { memoryHistory } from "../memory-source.js";

const one = 0x3f80;
const history = (...states: number[][]) =>
  memoryHistory("BF16", [states.length, states[0]?.length ?? 0, 1], new Uint8Array(Uint16Array.from(states.flat()).buffer));

test("a token ends its phases one after the other; the counts of a step are of all tokens", async () => {
  // In one dimension a step of more than one cell is early and midlife at once. Token 0: 2 cells, 1, 0. Token 1: 1, 1, 1. Token 2: none.
  const found = await lifecycle(history([one, one, one], [one + 2, one + 1, one], [one + 3, one + 2, one], [one + 3, one + 3, one]));
  expect(found).toEqual({
    earlyEnd: [1, null, null],
    midlifeEnd: [1, null, null],
    lateEnd: [2, 3, null],
    frozenFrom: [3, null, 1],
    counts: { early: [1, 0, 0], midlife: [0, 0, 0], late: [1, 2, 1], frozen: [1, 1, 2] },
  });
});

test("a phase that ends before an earlier one has no tokens of its own", () => {
  // Early until 4, though midlife ended at 2 and late at 3: the token is early for four steps, and frozen in the fifth.
  const range = { lastEarly: Int32Array.of(4), lastMidlife: Int32Array.of(2), lastLate: Int32Array.of(3) };
  expect(lifecycleOf(range, 5).counts).toEqual({ early: [1, 1, 1, 1, 0], midlife: [0, 0, 0, 0, 0], late: [0, 0, 0, 0, 0], frozen: [0, 0, 0, 0, 1] });
});

test("each phase follows the one before", () => {
  const range = { lastEarly: Int32Array.of(1), lastMidlife: Int32Array.of(2), lastLate: Int32Array.of(3) };
  expect(lifecycleOf(range, 4).counts).toEqual({ early: [1, 0, 0, 0], midlife: [0, 1, 0, 0], late: [0, 0, 1, 0], frozen: [0, 0, 0, 1] });
});

test("a history of one state has no phases, and no step to be frozen from", async () => {
  expect(await lifecycle(history([one]))).toMatchObject({ lateEnd: [null], frozenFrom: [null], counts: { early: [], frozen: [] } });
});

test("a history that is not bfloat16 is refused with its dtype", async () => {
  await expect(lifecycle(memoryHistory("F16", [1, 1, 1], new Uint8Array(2)))).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
    message: "memory is F16: only bfloat16 histories have a lattice",
  });
});
