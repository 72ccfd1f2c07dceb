/// <reference path="./jstat.d.ts" />
import jstat from "jstat";

/** Probability that Student's t exceeds a value: ½ I(ν / (ν + t²); ν/2, ½) for t ≥ 0, eight digits. */
export function studentTail(t: number, degreesOfFreedom: number): number {
  if (t === 0) return 0.5;
  const half = jstat.ibeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5) / 2;
  return t > 0 ? half : 1 - half;
}

/** Quantile of Student's t, to the eight digits of `studentTail`: the value of jstat, refined by one Newton step. */
export function studentQuantile(probability: number, degreesOfFreedom: number): number {
  const start = jstat.studentt.inv(probability, degreesOfFreedom);
  return start + (studentTail(start, degreesOfFreedom) - (1 - probability)) / jstat.studentt.pdf(start, degreesOfFreedom);
}
