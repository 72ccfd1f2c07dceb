/** Whether what takes long is done as often as the documents claim: `FULL_TESTS=1 npm test -- --all`. */
export const isFull: boolean = process.env["FULL_TESTS"] === "1";

/** How often a test does what takes long: `full` times where that was asked for, otherwise a smaller number that a usual run has the time for. */
export function repetitions(usual: number, full: number): number {
  return isFull ? full : usual;
}
