const blocks = [..."▁▂▃▄▅▆▇█"];

/** So many values are kept of a series, however long it grows: twice what a wide terminal shows. */
const maxKept = 256;

/** A series that grows, drawn in a row of blocks from its lowest value to its highest. Each value kept stands for equally many of those that came. */
export class Sparkline {
  #kept: number[] = [];
  #stride = 1;
  #open: number[] = [];

  /** Take the next value; one that is not finite is left out. */
  push(value: number): void {
    if (!Number.isFinite(value)) return;
    this.#open.push(value);
    if (this.#open.length < this.#stride) return;
    this.#kept.push(mean(this.#open));
    this.#open = [];
    if (this.#kept.length < maxKept) return;
    this.#kept = bucketMeans(this.#kept, maxKept / 2);
    this.#stride *= 2;
  }

  /** The whole series in at most `width` blocks; nothing before two values came. */
  draw(width: number): string {
    if (this.#kept.length < 2) return "";
    const means = bucketMeans(this.#kept, Math.min(width, this.#kept.length));
    const low = Math.min(...means);
    const range = Math.max(...means) - low;
    return means.map((value) => blocks[range === 0 ? 0 : Math.round(((value - low) / range) * (blocks.length - 1))]).join("");
  }
}

/** The means of so many neighbouring parts of a series, as equal in length as can be. */
function bucketMeans(values: readonly number[], buckets: number): number[] {
  const edge = (index: number) => Math.round((index * values.length) / buckets);
  return Array.from({ length: buckets }, (_, index) => mean(values.slice(edge(index), edge(index + 1))));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
