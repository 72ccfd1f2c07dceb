import { z } from "zod";
import { seedsSchema } from "../grammar/seeds.js";
import { valuesSchema, writtenHead } from "../grammar/written-head.js";
import { measureProblem } from "./measures.js";
import { rulesSchema } from "./rules.js";

/** Not a number alone: objects put such keys first, and the first arm is the control. */
const armName = /^(?!\d+$)[\w.+-]{1,60}$/;

const armsSchema = z.record(z.string(), valuesSchema).superRefine((arms, context) => {
  if (Object.keys(arms).length < 2) context.addIssue({ code: "custom", message: "an experiment compares two arms or more: the first is the control" });
  for (const name of Object.keys(arms).filter((each) => !armName.test(each))) {
    context.addIssue({
      code: "custom",
      path: [name],
      message: "the name of an arm has letters, digits and . _ + -, at most 60 of them, and is not a number alone",
    });
  }
});

const measure = z.string().superRefine((name, context) => {
  const problem = measureProblem(name);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** An experiment as it is written: what differs, what varies, and how it is judged. */
export const experimentSchema = z.strictObject({
  ...writtenHead("experiment", "run"),
  arms: armsSchema.describe("What each arm sets over the base, by name. The first arm is the control; every other is judged against it."),
  seeds: seedsSchema.optional(),
  rules: rulesSchema.prefault({}).describe("How the experiment is judged. They stand before the first step."),
  measures: z
    .array(measure)
    .default([])
    .describe("Further measures to describe: counts of a recorded step (deadC@1000), numbers of the analysis by path (geometry.pathLength)."),
});

/** An experiment as it is written. */
export type ExperimentInput = z.input<typeof experimentSchema>;
/** An experiment with its defaults. */
export type ExperimentSpec = z.output<typeof experimentSchema>;
