import { z } from "zod";

/** A number of things. */
export const count = z.int().nonnegative();
/** JSON has no NaN and no infinity: both are null, and `notes` say where they come from. */
export const figure = z.number().nullable();
export const counts = z.array(count).readonly();
export const figures = z.array(figure).readonly();
/** A step for each token; null where there is none. */
export const steps = z.array(z.int().positive().nullable()).readonly();
