import { expect, test } from "vitest";
import { planTime } from "../../../../src/sweep/plan/plan-time.js";

const compiling = { known: new Set(["a"]), firstSeconds: 30 };
const works = (shape: string | null, ...seconds: number[]) => seconds.map((each) => ({ seconds: each, shape }));

test("each worker takes the next work when it is free", () => {
  expect(planTime(works(null, 10, 4, 4, 4), 2, compiling)).toBe(12); // one does 10, the other 4 + 4 + 4
  expect(planTime(works(null, 10, 10, 10), 2, compiling)).toBe(20); // not 15: the third has to be waited for
  expect(planTime([], 0, compiling)).toBe(0);
});

test("a step that was compiled before takes 3 s before each work", () => {
  expect(planTime(works("a", 10, 10), 1, compiling)).toBe(26);
});

test("one that was not is compiled once, and beside one another by workers that begin before it is there", () => {
  expect(planTime(works("b", 10, 10), 1, compiling)).toBe(30 + 10 + 3 + 10);
  expect(planTime(works("b", 10, 10, 10, 10), 2, compiling)).toBe(30 + 10 + 3 + 10);
  expect(planTime([...works("b", 10), ...works("c", 10)], 1, compiling)).toBe(30 + 10 + 30 + 10);
});
