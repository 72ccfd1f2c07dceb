/** The exponential mean of a line without the bias of its beginning (Kingma & Ba 2015, section 3). Gaps stay gaps. */
export function smoothed(y: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let norm = 0;
  return y.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return mean / norm;
  });
}
