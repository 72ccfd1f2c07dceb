import { itemSizes } from "../../formats/matrix.js";
import { kernelKinds, loadKernels } from "../kernels/load-kernels.js";
import { type StateScanner, type StateShape, timelineFields } from "./state-scanner.js";

const seenBits = { nonzero: 1, finite: 2, moved: 4 } as const;

/** Booleans other than 0 and 1 are all true, but the kernels compare bytes. */
function normalizeBooleans(bytes: Uint8Array): void {
  for (let index = 0; index < bytes.length; index++) if ((bytes[index] ?? 0) > 1) bytes[index] = 1;
}

/**
 * A scanner that works in the SIMD kernels, whose memory the states are read into directly.
 *
 * @param capacity states of the largest chunk.
 * @returns undefined when the states do not fit into the 4 GiB that WebAssembly can address.
 */
export function wasmStateScanner({ dtype, tokens, dims }: StateShape, capacity: number): StateScanner | undefined {
  const kernels = loadKernels();
  const rowBytes = dims * itemSizes[dtype];
  const stateBytes = tokens * rowBytes;
  const address = kernels.configure(kernelKinds[dtype], tokens, rowBytes, capacity);
  if (address === 0) return undefined;
  const { buffer } = kernels.memory;
  const states = (count: number): Uint8Array => new Uint8Array(buffer, address + stateBytes, count * stateBytes);
  return {
    states,
    previous: () => new Uint8Array(buffer, address, stateBytes),
    scan(count) {
      if (dtype === "BOOL") normalizeBooleans(states(count));
      kernels.scan(count);
      return new Int32Array(buffer, kernels.resultsAddress(), count * timelineFields.length);
    },
    carry: (count) => kernels.carry(count),
    sightings() {
      const seen = kernels.seen();
      return {
        nonzero: (seen & seenBits.nonzero) !== 0,
        finite: (seen & seenBits.finite) !== 0,
        moved: (seen & seenBits.moved) !== 0,
        nonfiniteTokens: new Uint8Array(buffer, kernels.nonfiniteAddress(), tokens).slice(),
      };
    },
  };
}
