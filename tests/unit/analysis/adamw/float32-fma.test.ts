import { expect, test } from "vitest";
import { float32Fma } from "../../../../src/analysis/adamw/float32-fma.js";
import { expectedFrom } from "../../formats/reference-python.js";

/** The C library's fmaf of random bit patterns, and of sums that lie on and beside the middle of two numbers; bits in, bits out. */
const program = `
import ctypes, ctypes.util, json, random, struct
fmaf = ctypes.CDLL(ctypes.util.find_library("m")).fmaf
fmaf.restype, fmaf.argtypes = ctypes.c_float, [ctypes.c_float] * 3
random.seed(7)
number = lambda bits: struct.unpack("<f", struct.pack("<I", bits))[0]
bits = lambda value: struct.unpack("<I", struct.pack("<f", value))[0]
near = lambda: random.choice([0, 1 << 31]) | random.randrange(96, 160) << 23 | random.choice([random.getrandbits(23), random.getrandbits(4), 0x7FFFFF, 0x400000])
tiny = lambda: random.choice([0, 1 << 31]) | random.getrandbits(random.choice([3, 24, 29]))
any_ = lambda: random.getrandbits(32)
rows = []
for draw in (near, tiny, any_):
    for _ in range(20000):
        a, b, c = draw(), draw() if draw is not tiny else near(), draw()
        rows.append((a, b, c))
for _ in range(20000):  # the product is one bit in the middle of two neighbours of c, or a bit that decides such a tie
    c = near()
    e = c >> 23 & 255
    rows.append((random.choice([0, 1 << 31]) | 127 << 23 | random.choice([0, 1, 0x7FFFFF]), max(e - 24 - random.choice([0, 0, 1, 20]), 1) << 23, c))
print(json.dumps([[a, b, c, bits(fmaf(number(a), number(b), number(c)))] for a, b, c in rows]))
`;

test("a product and a sum are rounded once, as the C library's fmaf rounds them", () => {
  const words = new Uint32Array(4);
  const floats = new Float32Array(words.buffer);
  const rows = expectedFrom<[number, number, number, number][]>(program);
  const wrong = rows.filter((row) => {
    words.set(row);
    const [a = 0, b = 0, c = 0, wanted = 0] = floats;
    return !Object.is(float32Fma(a, b, c), wanted);
  });
  expect(wrong).toEqual([]);
  const twice = rows.filter((row) => {
    words.set(row);
    const [a = 0, b = 0, c = 0, wanted = 0] = floats;
    return !Object.is(Math.fround(a * b + c), wanted);
  });
  expect(twice.length).toBeGreaterThan(100); // the cases are hard enough to tell
});
