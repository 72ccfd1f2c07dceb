import { type StateScanner, type StateShape, timelineFields } from "../../../../src/analysis/scan/state-scanner.js";
import { itemSizes } from "../../../../src/formats/matrix.js";

type Counts = Record<(typeof timelineFields)[number], number>;

/** What a scanner tells of each state when it is shown some chunks of states, one after the other. */
export function scanned(scanner: StateScanner, { dtype, tokens, dims }: StateShape, chunks: readonly Uint8Array[]): Counts[] {
  return chunks.flatMap((chunk) => {
    const count = chunk.length / (tokens * dims * itemSizes[dtype]);
    scanner.states(count).set(chunk);
    const told = scanner.scan(count).slice();
    scanner.carry(count);
    return Array.from({ length: count }, (_, state) => {
      const own = told.subarray(state * timelineFields.length, (state + 1) * timelineFields.length);
      return Object.fromEntries(timelineFields.map((field, index) => [field, own[index] ?? 0])) as Counts;
    });
  });
}
