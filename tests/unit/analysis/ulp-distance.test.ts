import { expect, test } from "vitest";
import { ulpDistance } from "../../../src/analysis/ulp-distance.js";
import type { Dtype } from "../../../src/formats/matrix.js";
import { expectedFrom } from "../formats/reference-python.js";

/** Pairs of elements as bytes in hex, and how many calls of `nextafter` lead from one to the other, as NumPy and torch take them. */
const program = `
import json, numpy as np, torch
rng = np.random.default_rng(3)
cases = []
def add(dtype, a, b, steps): cases.append([dtype, a.tobytes().hex(), b.tobytes().hex(), steps])
for dtype, name in (("F16", np.float16), ("F32", np.float32), ("F64", np.float64)):
    biggest = np.finfo(name).max
    for start in [0.0, -0.0, 1.0, -1.0, 65504.0, np.finfo(name).smallest_subnormal, *rng.normal(size=20)]:
        a = b = name(start)
        for steps in range(1, 6):
            b = np.nextafter(b, name(-np.inf) if start > 0 else name(np.inf))
            add(dtype, a, b, steps)
            add(dtype, b, a, steps)
    add(dtype, name(0.0), name(-0.0), 0)
    add(dtype, biggest, name(np.inf), 1)
    add(dtype, -biggest, name(-np.inf), 1)
    add(dtype, name(np.nan), name(1), None)
    add(dtype, name(np.nan), name(np.nan), None)
# bfloat16 is what NumPy lacks; torch steps through it.
infinity = torch.tensor(float("inf"), dtype=torch.bfloat16)
bits = lambda value: value.view(torch.int16).numpy()
for start in [0.0, -0.0, 1.0, -1.0, 1e-40, *rng.normal(size=20)]:
    a = b = torch.tensor(start, dtype=torch.bfloat16)
    for steps in range(1, 6):
        b = torch.nextafter(b, -infinity if start > 0 else infinity)
        add("BF16", bits(a), bits(b), steps)
add("BF16", bits(torch.tensor(0.0, dtype=torch.bfloat16)), bits(torch.tensor(-0.0, dtype=torch.bfloat16)), 0)
add("BF16", bits(torch.tensor(float("nan"), dtype=torch.bfloat16)), bits(a), None)
# From -x to x there are twice as many steps as x has ordinals.
for dtype, name, integer in (("F16", np.float16, np.int16), ("F32", np.float32, np.int32)):
    for value in rng.normal(size=10).astype(name):
        add(dtype, value, -value, 2 * int(np.abs(value).view(integer)))
print(json.dumps(cases))`;

test("it counts the steps that nextafter takes, over zero too; NaN is at no distance", () => {
  const cases = expectedFrom<[Dtype, string, string, number | null][]>(program);
  const wrong = cases.filter(([dtype, a, b, steps]) => ulpDistance(dtype, Buffer.from(a, "hex"), Buffer.from(b, "hex")) !== steps);
  expect(cases.length).toBeGreaterThan(700);
  expect(wrong).toEqual([]);
});

test("a dtype without floats has no ULP", () => {
  expect(ulpDistance("I32", Buffer.from([1, 0, 0, 0]), Buffer.from([2, 0, 0, 0]))).toBeNull();
});
