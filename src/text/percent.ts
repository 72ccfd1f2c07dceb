/** A share as people read it: `12.5 %`; a dash for one that there is not. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}
