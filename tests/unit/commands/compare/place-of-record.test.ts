import { expect, test } from "vitest";
import { both, placeOfRecord } from "../../../../src/commands/compare/place-of-record.js";

test("a place is told by step, tensor, token and component, with both values and how far they are apart", () => {
  const first = { step: 12_345, tensor: "wte.grad", token: 17, component: 5, a: 0.25, b: 0.251953125, ulp: 2 };
  expect(placeOfRecord(first)).toBe("step 12,345, wte.grad, token 17, component 5: 0.25 and 0.251953125, 2 ULP apart");
});

test("where numbers have no distance, none is told", () => {
  expect(both({ a: "NaN", b: 1, ulp: null })).toBe("NaN and 1");
  expect(both({ a: 1, b: 1.0078125, ulp: 1 })).toBe("1 and 1.0078125, 1 ULP apart");
});
