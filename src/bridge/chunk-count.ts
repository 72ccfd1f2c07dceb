/**
 * How many windows side by side a text has; Python cuts it likewise.
 *
 * @param tokens that are trained on.
 */
export function chunkCount(tokens: number, windowLength: number, labelShift: "double" | "causal"): number {
  const ahead = labelShift === "double" ? 1 : 0; // the last label of a chunk is then the first token of the next
  return Math.floor((tokens - ahead) / windowLength);
}
