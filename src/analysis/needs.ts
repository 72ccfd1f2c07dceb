import { count } from "../text/count.js";
import { groupDigits } from "../text/group-digits.js";
import type { Need } from "./analysis.js";

/** Measuring holds three decoded copies of a state in memory: at this many numbers, 400 MB. */
const maxMeasuredNumbers = 2 ** 24;

/** Only bfloat16 histories have a lattice. @param fields those that need it; the whole part when absent. */
export function latticeFor(fields?: readonly string[]): Need {
  return {
    ...(fields && { fields }),
    unmet: ({ dtype }) => (dtype === "BF16" ? undefined : `only bfloat16 has a lattice, and this history is ${dtype}`),
  };
}

/** An analysis that observes states has them decoded, which takes memory. */
export const measurableStates: Need = {
  unmet({ tokens, dims }) {
    const numbers = tokens * dims;
    return numbers > maxMeasuredNumbers ? `a state has ${count(numbers, "number")}, more than ${groupDigits(maxMeasuredNumbers)}` : undefined;
  },
};
