import fc from "fast-check";
import { expect, test } from "vitest";
import { plainStateScanner } from "../../../../src/analysis/scan/plain-state-scanner.js";
import type { StateScanner } from "../../../../src/analysis/scan/state-scanner.js";
import { wasmStateScanner } from "../../../../src/analysis/scan/wasm-state-scanner.js";
import { dtypes, itemSizes } from "../../../../src/formats/matrix.js";
import { scanned } from "./scanned.js";

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
