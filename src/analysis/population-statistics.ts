/** How tokens are spread over black holes; nulls when there is none. */
export interface PopulationStatistics {
  /** Black holes. */
  readonly n: number;
  /** Tokens in them. */
  readonly sum: number;
  readonly mean: number | null;
  readonly median: number | null;
  /** 2Σ i·x₍ᵢ₎/(nΣx) − (n+1)/n over ascending populations: 0 when all are equal. */
  readonly gini: number | null;
  /** Σ (x/Σx)²: 1 when there is one. */
  readonly herfindahl: number | null;
  /** Share of the largest 1, 2, 3, 5 and 10. */
  readonly topShare: Readonly<Record<"1" | "2" | "3" | "5" | "10", number | null>>;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function median(ascending: readonly number[]): number {
  const middle = Math.floor(ascending.length / 2);
  const upper = ascending[middle] ?? 0;
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] ?? 0) + upper) / 2;
}

/** Statistics of the populations of black holes, in any order. */
export function populationStatistics(populations: readonly number[]): PopulationStatistics {
  const n = populations.length;
  const ascending = [...populations].sort((a, b) => a - b);
  const sum = total(ascending);
  const share = (count: string): number | null => (n === 0 ? null : total(ascending.slice(-Number(count))) / sum);
  const topShare = { "1": share("1"), "2": share("2"), "3": share("3"), "5": share("5"), "10": share("10") };
  if (n === 0) return { n, sum, mean: null, median: null, gini: null, herfindahl: null, topShare };
  const ranked = total(ascending.map((population, index) => (index + 1) * population));
  return {
    n,
    sum,
    mean: sum / n,
    median: median(ascending),
    gini: (2 * ranked) / (n * sum) - (n + 1) / n,
    herfindahl: total(ascending.map((population) => (population / sum) ** 2)),
    topShare,
  };
}
