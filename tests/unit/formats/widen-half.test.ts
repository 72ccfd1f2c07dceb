import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { dtypes } from "../../../src/formats/matrix.js";
import { isHalf, widened } from "../../../src/formats/widen-half.js";
import { expectedFrom } from "./reference-python.js";

test("two types are half floats", () => {
  expect(dtypes.filter(isHalf)).toEqual(["BF16", "F16"]);
});

test.each([
  ["BF16", "bfloat16"],
  ["F16", "float16"],
] as const)("every %s that is a number becomes the float32 that torch makes of it, bit for bit", (dtype, name) => {
  const program = `
import sys, json, torch, hashlib
values = torch.arange(2**16, dtype=torch.int32).to(torch.int16).view(getattr(torch, sys.argv[1]))
wide = values[~values.isnan()].float()
print(json.dumps(hashlib.sha256(wide.numpy().tobytes()).hexdigest()))`;
  const [exponent, mantissa] = dtype === "BF16" ? [0x7f80, 0x7f] : [0x7c00, 0x3ff];
  const numbers = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits).filter((bits) => (bits & exponent) !== exponent || (bits & mantissa) === 0);
  expect(
    createHash("sha256")
      .update(widened(dtype, new Uint8Array(numbers.buffer)))
      .digest("hex"),
  ).toBe(expectedFrom(program, name));
});

test("NaN stays NaN, at an odd address too, and nothing stays nothing", () => {
  const bytes = Uint8Array.of(0, 0xc0, 0x7f);
  expect(new Float32Array(widened("BF16", bytes.subarray(1)).buffer)[0]).toBeNaN();
  expect(widened("F16", new Uint8Array())).toHaveLength(0);
});
