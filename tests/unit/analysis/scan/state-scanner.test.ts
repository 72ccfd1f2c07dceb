import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countsTable, plainStateScanner, type StateScanner, timelineFields, wasmStateScanner } from "../../../../src/analysis/scan/state-scanner.js";
import { dtypes, itemSizes } from "../../../../src/formats/matrix.js";
import { scanned } from "./scanned.js";

test.each([1, 0xffff, 0x10000])("a state of %d tokens can have any count up to that", (tokens) => {
  const table = countsTable(2, tokens);
  expect(table.length).toBe(2 * timelineFields.length);
  table[0] = tokens;
  expect(table[0]).toBe(tokens);
});

test("it takes two bytes a number where they are enough", () => {
  expect([countsTable(1, 0xffff).BYTES_PER_ELEMENT, countsTable(1, 0x10000).BYTES_PER_ELEMENT]).toEqual([2, 4]);
});

test("worker threads write into the same memory", () => {
  expect(countsTable(1, 5).buffer).toBeInstanceOf(SharedArrayBuffer);
  const table = structuredClone(countsTable(3, 5).subarray(timelineFields.length));
  expect(table.buffer).toBeInstanceOf(SharedArrayBuffer);
});

// Bytes of few kinds, so that equal rows, both zeros, NaN and infinities occur.
const someByte = fc.constantFrom(0, 0x80, 0x7f, 0xff, 0xc0, 0x7c, 0xf0, 1);

function seen(scanner: StateScanner) {
  const { nonzero, finite, moved, nonfiniteTokens } = scanner.sightings();
  return { nonzero, finite, moved, nonfinite: [...nonfiniteTokens] };
}

test.each(dtypes)("states of %s are told as plain TypeScript tells them, in chunks of any length", (dtype) => {
  const chunk = fc
    .record({ tokens: fc.integer({ min: 1, max: 9 }), dims: fc.integer({ min: 1, max: 9 }), cut: fc.integer({ min: 1, max: 3 }) })
    .chain((shape) => {
      const length = 4 * shape.tokens * shape.dims * itemSizes[dtype];
      return fc.array(someByte, { minLength: length, maxLength: length }).map((bytes) => ({ ...shape, bytes: Uint8Array.from(bytes) }));
    });
  fc.assert(
    fc.property(chunk, ({ tokens, dims, cut, bytes }) => {
      const shape = { dtype, tokens, dims };
      const end = cut * tokens * dims * itemSizes[dtype];
      const chunks = [bytes.subarray(0, end), bytes.subarray(end)];
      const [wasm, plain] = [wasmStateScanner(shape, 3), plainStateScanner(shape, 3)];
      if (!wasm) throw new Error("no memory");
      expect(scanned(wasm, shape, chunks)).toEqual(scanned(plain, shape, chunks));
      expect(seen(wasm)).toEqual(seen(plain));
    }),
    { numRuns: 25 },
  );
});

test("the last state of a chunk is kept as the one before the next", () => {
  const shape = { dtype: "U8", tokens: 2, dims: 1 } as const;
  const scanner = wasmStateScanner(shape, 2);
  if (!scanner) throw new Error("no memory");
  scanned(scanner, shape, [Uint8Array.of(1, 2, 3, 4)]);
  expect([...scanner.previous()]).toEqual([3, 4]);
});

test("states that 4 GiB cannot hold have no such scanner", () => {
  expect(wasmStateScanner({ dtype: "F64", tokens: 2 ** 20, dims: 2 ** 9 }, 1)).toBeUndefined();
});

const nothing = { fissions: 0, splits: 0, merges: 0, joins: 0, escapes: 0, captures: 0 };
const shape = { dtype: "U8", tokens: 4, dims: 1 } as const;

test("each state is counted, and compared with the one before, also when that was in an earlier chunk", () => {
  const states = [
    [1, 1, 2, 2],
    [1, 1, 1, 2],
    [5, 6, 7, 7],
  ];
  const expected = [
    { unique: 2, C: 2, P: 4, largest: 2, ...nothing },
    // {2, 3} loses token 2 to {0, 1}, which two holes come together in, and token 3 is left alone.
    { unique: 2, C: 1, P: 3, largest: 3, ...nothing, splits: 1, merges: 1, joins: 1, escapes: 1 },
    // The hole of three parts in three classes, of which one, with token 3, is a hole.
    { unique: 3, C: 1, P: 2, largest: 2, ...nothing, splits: 1, joins: 1, escapes: 2, captures: 1 },
  ];
  for (const cut of [1, 2, 3]) {
    const chunks = [states.slice(0, cut), states.slice(cut)].map((chunk) => Uint8Array.from(chunk.flat())).filter((chunk) => chunk.length > 0);
    expect(scanned(plainStateScanner(shape, 3), shape, chunks)).toEqual(expected);
  }
});

test("a plain scanner keeps the last state of a chunk as the one before the next", () => {
  const scanner = plainStateScanner(shape, 2);
  scanned(scanner, shape, [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]);
  expect([...scanner.previous()]).toEqual([5, 6, 7, 8]);
});

describe("what has been seen", () => {
  function seen(dtype: "F32" | "F64", ...states: number[][]) {
    const of = { dtype, tokens: states[0]?.length ?? 0, dims: 1 } as const;
    const scanner = plainStateScanner(of, states.length);
    const numbers = dtype === "F32" ? Float32Array.from(states.flat()) : Float64Array.from(states.flat());
    scanned(scanner, of, [new Uint8Array(numbers.buffer)]);
    const { nonzero, finite, moved, nonfiniteTokens } = scanner.sightings();
    return { nonzero, finite, moved, nonfinite: [...nonfiniteTokens] };
  }

  test("−0 beside 0 is neither a number nor a move", () => {
    expect(seen("F32", [0, -0], [-0, 0])).toEqual({ nonzero: false, finite: true, moved: false, nonfinite: [0, 0] });
  });

  test("to become NaN or to cease is no move, to become infinite is one", () => {
    expect(seen("F64", [Number.NaN, 1], [1, 1])).toMatchObject({ moved: false, nonfinite: [1, 0] });
    expect(seen("F64", [1, 1], [1, Number.POSITIVE_INFINITY])).toMatchObject({ moved: true, nonfinite: [0, 1] });
    expect(seen("F64", [Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY])).toMatchObject({ moved: false, finite: false, nonfinite: [1] });
  });
});

test("integers of 64 bits that decode to the same number are told apart", () => {
  const wide = { dtype: "I64", tokens: 2, dims: 1 } as const;
  const scanner = plainStateScanner(wide, 2);
  const counts = scanned(scanner, wide, [new Uint8Array(BigInt64Array.of(2n ** 53n, 2n ** 53n + 1n, 2n ** 53n, 2n ** 53n).buffer)]);
  expect(counts.map(({ unique }) => unique)).toEqual([2, 1]);
  expect(scanner.sightings().moved).toBe(true);
});
