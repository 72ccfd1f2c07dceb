import { z } from "zod";
import { drawSchema } from "../grammar/drawn-points.js";

/** What can be sought the lowest or highest of: numbers that every trial has at its end. */
const searchMeasures = ["finalLoss", "C", "P", "unique", "displacement"] as const;
export type SearchMeasure = (typeof searchMeasures)[number];

/** A search by Optuna: its points are asked for some at a time, by what came out of those before. */
export const searchSchema = z
  .strictObject({
    trials: z.int().min(1).max(10_000).describe("Points to ask for, in all; each is trained with every seed."),
    seed: z.int().min(0).max(0xffff_ffff).default(0).describe("Seed of the draws, not of the trainings."),
    over: z.record(z.string(), drawSchema).describe("Field to what its values are chosen from: a list, {uniform: [low, high]}, {log: […]} or {int: […]}."),
    minimize: z.enum(searchMeasures).optional().describe("The measure that is to be low; its mean over the seeds."),
    maximize: z.enum(searchMeasures).optional().describe("The measure that is to be high."),
    together: z.int().min(1).max(1000).default(4).describe("Points that are asked for at a time, and trained side by side."),
  })
  .refine(({ minimize, maximize }) => (minimize === undefined) !== (maximize === undefined), { error: "say either minimize or maximize", path: ["minimize"] });

export type SearchSpec = z.output<typeof searchSchema>;
