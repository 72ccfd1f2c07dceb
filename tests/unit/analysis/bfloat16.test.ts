import { expect, test } from "vitest";
import { roundToBfloat16 } from "../../../src/analysis/bfloat16.js";
import { expectedFrom } from "../formats/reference-python.js";

// Float32 bits around every kind of rounding: ties to even, carries into the exponent, overflow, subnormals, and random ones.
const program = `
import json, random, struct, torch
random.seed(3)
bits = [0, 0x80000000, 1, 0x8000, 0x18000, 0x8001, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x3fffffff, 0x7f7fffff, 0xff7f8000, 0x7f800000, 0xff800000]
bits += [random.getrandbits(32) for _ in range(2000)]
values = torch.tensor([struct.unpack("<f", struct.pack("<I", b))[0] for b in bits], dtype=torch.float32)
keep = ~values.isnan()
given = values[keep].view(torch.int32).tolist()
rounded = values[keep].to(torch.bfloat16)
print(json.dumps({"given": given, "rounded": rounded.view(torch.int16).tolist()}))`;

const { given, rounded } = expectedFrom<{ given: number[]; rounded: number[] }>(program);

const floatOfBits = (bits: number): number => new Float32Array(Int32Array.of(bits).buffer)[0] ?? 0;
const highBits = (value: number): number => (new Int32Array(Float32Array.of(value).buffer)[0] ?? 0) >> 16;

test("a float32 is rounded as torch rounds it", () => {
  expect(given.map((bits) => highBits(roundToBfloat16(floatOfBits(bits))))).toEqual(rounded);
});

test("NaN stays NaN", () => {
  expect(roundToBfloat16(Number.NaN)).toBeNaN();
});
