import { type Interval, usualLevel } from "./interval.js";
import { moments } from "./moments.js";
import { studentQuantile } from "./student-t.js";

/**
 * Student's interval for a mean: mean ± t · sd / √n, t being the quantile (1 + level) / 2 with n − 1 degrees of freedom (Student 1908). Of paired
 * differences it is the interval of the paired t test. It supposes that they are normal.
 *
 * Null for fewer than two values, or where one is not finite. Equal values give an interval without width.
 */
export function tInterval(values: readonly number[], level = usualLevel): Interval | null {
  const { n, mean, sd } = moments(values);
  if (mean === null || sd === null) return null;
  const half = (studentQuantile((1 + level) / 2, n - 1) * sd) / Math.sqrt(n);
  return { low: mean - half, high: mean + half };
}
