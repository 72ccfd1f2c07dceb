/// <reference path="./jstat.d.ts" />
import jstat from "jstat";
import { defaultLevel, type Interval, moments, scaleOf } from "./moments.js";

/** Upper tail of Student's t: ½ I(ν / (ν + t²); ν/2, ½) for t ≥ 0, eight digits. */
export function studentTail(t: number, degreesOfFreedom: number): number {
  if (t === 0) return 0.5;
  const half = jstat.ibeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5) / 2;
  return t > 0 ? half : 1 - half;
}

/** Quantile of Student's t: the value of jstat, refined by one Newton step to the eight digits of `studentTail`. */
export function studentQuantile(probability: number, degreesOfFreedom: number): number {
  const start = jstat.studentt.inv(probability, degreesOfFreedom);
  return start + (studentTail(start, degreesOfFreedom) - (1 - probability)) / jstat.studentt.pdf(start, degreesOfFreedom);
}

/** Mean, sample standard deviation and skewness in units of `scale`, a power of two. */
interface Shape {
  readonly n: number;
  readonly scale: number;
  readonly mean: number;
  readonly sd: number;
  readonly skewness: number;
}

function shapeOf(values: readonly number[]): Shape | null {
  const scale = scaleOf(values);
  const scaled = values.map((value) => value / scale);
  const { n, mean, sd } = moments(scaled);
  if (n < 3 || mean === null || sd === null) return null;
  const cubes = scaled.reduce((sum, value) => sum + ((value - mean) / (sd || 1)) ** 3, 0);
  return { n, scale, mean, sd, skewness: (n * cubes) / ((n - 1) * (n - 2)) };
}

/**
 * Sample skewness corrected for bias, G = n Σ(d − d̄)³ / ((n − 1)(n − 2) s³); 0 for equal values. Null for fewer than three values, or if one is not finite.
 */
export function sampleSkewness(values: readonly number[]): number | null {
  return shapeOf(values)?.skewness ?? null;
}

/** Whether values are notably skewed: at least five values, and |G| above two standard errors of a normal sample. */
export function isSkewed(values: readonly number[]): boolean {
  const n = values.length;
  const skewness = sampleSkewness(values);
  return n >= 5 && skewness !== null && Math.abs(skewness) > 2 * Math.sqrt((6 * n * (n - 1)) / ((n - 2) * (n + 1) * (n + 3)));
}

/**
 * One-sided p that values have a mean above 0, by Student's t after Hall's transformation (1992), which removes skewness: with u = d̄ / s, h = √n (u + G u² / 3
 * + G² u³ / 27 + G / (6n)) and p = P(t with n − 1 degrees of freedom > h). Equal values: 0 above 0, else 1.
 * @param values at least three, all finite.
 */
export function hallTail(values: readonly number[]): number {
  const shape = shapeOf(values);
  if (shape === null) return 1;
  const { n, mean, sd, skewness: G } = shape;
  if (sd === 0) return mean > 0 ? 0 : 1;
  const u = mean / sd;
  const h = Math.sqrt(n) * (u + (G * u ** 2) / 3 + (G ** 2 * u ** 3) / 27 + G / (6 * n));
  return studentTail(h, n - 1);
}

/**
 * The shifts that `hallTail` rejects in neither direction at (1 − level) / 2: d̄ − s · u(±q) with q = t / √n, where u(q) = (3 / G)(∛(1 + G w) − 1) and w = q −
 * G / (6n) invert the transformation. Null for fewer than three values, or if one is not finite.
 */
export function hallInterval(values: readonly number[], level: number): Interval | null {
  const shape = shapeOf(values);
  if (shape === null) return null;
  const { n, scale, mean, sd, skewness: G } = shape;
  const q = studentQuantile((1 + level) / 2, n - 1) / Math.sqrt(n);
  const inverse = (at: number) => {
    const w = at - G / (6 * n);
    const root = Math.cbrt(1 + G * w);
    return (3 * w) / (root * root + root + 1); // (3 / G)(root − 1), written without the division by G
  };
  return { low: scale * (mean - sd * inverse(q)), high: scale * (mean - sd * inverse(-q)) };
}

/**
 * Student's interval for a mean (1908): mean ± t · sd / √n, with the quantile (1 + level) / 2 of t with n − 1 degrees of freedom. It assumes normal values.
 *
 * Null for fewer than two values, or if one is not finite. Equal values give an interval of width 0.
 */
export function tInterval(values: readonly number[], level = defaultLevel): Interval | null {
  const { n, mean, sd } = moments(values);
  if (mean === null || sd === null) return null;
  const half = (studentQuantile((1 + level) / 2, n - 1) * sd) / Math.sqrt(n);
  return { low: mean - half, high: mean + half };
}
