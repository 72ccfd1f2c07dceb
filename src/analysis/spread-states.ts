/** At most `most` states, evenly spread, the first and the last among them. */
export function spreadStates(states: number, most: number): number[] {
  const count = Math.min(states, most);
  return Array.from({ length: count }, (_, index) => Math.round((index * (states - 1)) / Math.max(1, count - 1)));
}
