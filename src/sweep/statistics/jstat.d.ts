/** What is used of jstat, which ships no types. */
declare module "jstat" {
  const jstat: {
    studentt: {
      /** Quantile of Student's t. */
      inv(probability: number, degreesOfFreedom: number): number;
    };
  };
  export = jstat;
}
