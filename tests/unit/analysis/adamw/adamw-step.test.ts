import { expect, test } from "vitest";
import { type AdamwSettings, adamwStep, type ComponentBefore, float32Fma, leftOver } from "../../../../src/analysis/adamw/adamw-step.js";
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

// That whole matrices come out as torch steps them is tested with the ledger; here are the parts.
const settings: AdamwSettings = {
  arithmetic: "fused",
  narrowWeights: false,
  narrowMoments: false,
  fma: false,
  beta1: 0.5,
  beta2: 0.75,
  epsilon: 0,
  weightDecay: 0.5,
};
const component = (before: Partial<ComponentBefore>): ComponentBefore => ({
  weight: 1,
  gradient: 0,
  firstMoment: 0,
  secondMoment: 0,
  isLeftOver: false,
  ...before,
});

test("a first step moves by the learning rate against the gradient, whatever its size", () => {
  // m = g/2 and v = g²/4; corrected by 1/2 and 1/4, m̂/√v̂ = ±1. The decay takes lr · 0.5 · weight.
  const step = adamwStep(settings, 1, 0.25);
  expect(step(component({ gradient: 4 }), 0)).toEqual({ weight: 0.875 - 0.25, firstMoment: 2, secondMoment: 4, decayed: 0.875, moved: -0.25 });
  expect(step(component({ gradient: -(2 ** -10) }), 0)).toMatchObject({ weight: 0.875 + 0.25, moved: 0.25 });
});

test.each(["fused", "by-operation", "float32"] as const)("in numbers that need no rounding, %s arithmetic is Algorithm 2", (arithmetic) => {
  // Step 2: m = 0.5·6 + 0.5·2 = 4, m̂ = 4/0.75; v = 0.75·16 + 0.25·4 = 13, v̂ = 13/(1 − 0.75²).
  const { firstMoment, secondMoment, moved, decayed } = adamwStep(
    { ...settings, arithmetic },
    2,
    0.25,
  )(component({ gradient: 2, firstMoment: 6, secondMoment: 16 }), 0);
  expect([firstMoment, secondMoment, decayed]).toEqual([4, 13, 0.875]);
  expect(moved).toBeCloseTo((-0.25 * (4 / 0.75)) / Math.sqrt(13 / (1 - 0.75 ** 2)), 6);
});

test("without a gradient and moments nothing is added, and without decay nothing is taken", () => {
  const still = adamwStep({ ...settings, epsilon: 1e-8, weightDecay: 0 }, 1, 0.25)(component({ weight: -3 }), 0);
  expect(still).toMatchObject({ weight: -3, decayed: -3, moved: -0 });
  expect(adamwStep(settings, 1, 0.25)(component({}), 0).weight).toBeNaN(); // 0/0, as torch has it with epsilon 0
});

test("NaN in a gradient is NaN in all that is stored", () => {
  expect(adamwStep(settings, 1, 0.25)(component({ gradient: Number.NaN }), 0)).toMatchObject({
    weight: Number.NaN,
    firstMoment: Number.NaN,
    secondMoment: Number.NaN,
  });
});

test("what is stored narrow is rounded to bfloat16: all of it at the end when fused, every result by operation", () => {
  const narrow = { ...settings, narrowWeights: true, narrowMoments: true, weightDecay: 0 };
  const before = component({ gradient: 2, firstMoment: 1.0078125, secondMoment: 1.0078125 });
  const fused = adamwStep(narrow, 2, 0.25)(before, 0);
  const { moved: fusedMove, ...stored } = { ...fused };
  const { moved, ...byOperation } = { ...adamwStep({ ...narrow, arithmetic: "by-operation" }, 2, 0.25)(before, 0) };
  const bits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  for (const value of [stored.weight, stored.firstMoment, stored.secondMoment, byOperation.weight, byOperation.firstMoment, byOperation.secondMoment]) {
    expect(bits(value) & 0xffff).toBe(0);
  }
  expect(bits(fusedMove) & 0xffff).not.toBe(0);
  expect(moved).not.toBe(fusedMove);
});

test("a root beside the nearest is another float32, and shifts nothing at 0", () => {
  const step = adamwStep({ ...settings, weightDecay: 0 }, 1, 2 ** 20);
  const moved = (shift: number) => step(component({ gradient: 3 }), shift).moved;
  expect(new Set([moved(-1), moved(0), moved(1)]).size).toBe(3);
  const withEpsilon = adamwStep({ ...settings, epsilon: 1 }, 1, 0.25);
  expect({ ...withEpsilon(component({}), 1) }).toEqual({ ...withEpsilon(component({}), 0) });
});

test("the fused kernel computes the end of a tensor one by one, what no vector of 256 bits takes", () => {
  expect(leftOver(35, { arithmetic: "fused", narrowWeights: true })).toBe(3);
  expect(leftOver(35, { arithmetic: "fused", narrowWeights: false })).toBe(3);
  expect(leftOver(24, { arithmetic: "fused", narrowWeights: true })).toBe(8);
  expect(leftOver(24, { arithmetic: "fused", narrowWeights: false })).toBe(0);
  expect(leftOver(35, { arithmetic: "by-operation", narrowWeights: true })).toBe(0);
});
