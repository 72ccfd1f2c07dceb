import { expect, test } from "vitest";
import { inverseUlp } from "../../../src/analysis/bfloat16-ulp.js";
import { expectedFrom } from "../formats/reference-python.js";

test("the distance to the next bfloat16 is torch's, for every number but the largest, subnormals and both zeros included", () => {
  const ulps = expectedFrom<number[]>(`
import json, torch
values = torch.arange(0x7f7f, dtype=torch.int16).view(torch.bfloat16)
after = torch.nextafter(values, torch.tensor(float("inf"), dtype=torch.bfloat16))
print(json.dumps((after.double() - values.double()).tolist()))`);
  expect(ulps.length).toBe(0x7f7f);
  expect(ulps.map((_, bits) => 1 / inverseUlp(bits))).toEqual(ulps);
  expect(ulps.map((_, bits) => 1 / inverseUlp(bits | 0x8000))).toEqual(ulps);
});
