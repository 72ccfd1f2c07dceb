/** The used part of jstat, which ships no types. */
declare module "jstat" {
  const jstat: {
    /** Regularized incomplete beta function I(x; a, b). */
    ibeta(x: number, a: number, b: number): number;
    chisquare: {
      /** Quantile of the chi-squared distribution. */
      inv(probability: number, degreesOfFreedom: number): number;
    };
    studentt: {
      /** Quantile of Student's t. */
      inv(probability: number, degreesOfFreedom: number): number;
      /** Density of Student's t. */
      pdf(t: number, degreesOfFreedom: number): number;
    };
  };
  export = jstat;
}
