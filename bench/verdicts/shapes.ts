import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

type Draw = () => number;

/** Uniform numbers above 0, the same for a seed. */
export function uniformDraws(seed: number): Draw {
  const generator = xoroshiro128plus(seed);
  return () => 1 - uniformFloat64(generator);
}

function normalDraws(uniform: Draw): Draw {
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()); // Box and Muller 1958
}

/** Distributions of a paired difference with mean 0; those with a spread have standard deviation 1. */
export const shapes = {
  normal: normalDraws,
  "t with 3 degrees of freedom": (uniform) => {
    const normal = normalDraws(uniform);
    return () => normal() / Math.sqrt(normal() ** 2 + normal() ** 2 + normal() ** 2);
  },
  "exponential − normal": (uniform) => {
    const normal = normalDraws(uniform);
    return () => (-Math.log(uniform()) - 1 - normal()) / Math.SQRT2;
  },
  "exponential (skewness 2)": (uniform) => () => -Math.log(uniform()) - 1,
  "lognormal (skewness 6)": (uniform) => {
    const normal = normalDraws(uniform);
    const sd = Math.sqrt(Math.E * (Math.E - 1));
    return () => (Math.exp(normal()) - Math.sqrt(Math.E)) / sd;
  },
} as const satisfies Record<string, (uniform: Draw) => Draw>;
export type Shape = keyof typeof shapes;

const standardized =
  (mean: number, variance: number, draw: Draw): Draw =>
  () =>
    (draw() - mean) / Math.sqrt(variance);

/** More distributions of a paired difference around 0, for the sequential tables. */
export const moreShapes = {
  ...shapes,
  Cauchy: (uniform) => () => Math.tan(Math.PI * (uniform() - 0.5)),
  "lognormal − lognormal": (uniform) => {
    const normal = normalDraws(uniform);
    return () => Math.exp(normal()) - Math.exp(normal());
  },
  "integers, Poisson(1) − Poisson(1)": (uniform) => {
    const poisson = poissonDraws(uniform, 1);
    return () => poisson() - poisson();
  },
  "lognormal(½) (skewness 1.75)": (uniform) => {
    const normal = normalDraws(uniform);
    const e = Math.exp(0.25);
    return standardized(Math.exp(0.125), e * (e - 1), () => Math.exp(normal() / 2));
  },
  uniform: (uniform) => () => (uniform() - 0.5) * Math.sqrt(12),
  "Weibull(1.5)": (uniform) => {
    const [mean, square] = [0.902_745_292_950_933_6, 1.190_639_348_758_999]; // Γ(5/3), Γ(7/3)
    return standardized(mean, square - mean * mean, () => (-Math.log(uniform())) ** (2 / 3));
  },
  Gumbel: (uniform) => standardized(0.577_215_664_901_532_9, Math.PI ** 2 / 6, () => -Math.log(-Math.log(uniform()))),
  "gamma(½) (skewness 2.8)": (uniform) => {
    const normal = normalDraws(uniform);
    return () => (normal() ** 2 - 1) / Math.SQRT2;
  },
  "Pareto(4) (skewness 7)": (uniform) => standardized(4 / 3, 2 / 9, () => uniform() ** -0.25),
  "normal with 10 % of jumps by 5 sd": (uniform) => {
    const normal = normalDraws(uniform);
    return standardized(0.5, 1 + 25 * 0.1 * 0.9, () => normal() + (uniform() <= 0.1 ? 5 : 0));
  },
} as const satisfies Record<string, (uniform: Draw) => Draw>;
export type SequentialShape = keyof typeof moreShapes;

function poissonDraws(uniform: Draw, rate: number): Draw {
  const none = Math.exp(-rate);
  return () => {
    let events = 0;
    for (let product = uniform(); product > none; product *= uniform()) events++; // Knuth 1969
    return events;
  };
}
