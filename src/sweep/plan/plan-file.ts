import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { pruneSchema } from "../prune/prune-condition.js";
import type { SweepPlan } from "./sweep-plan.js";

/** `plan.json`: what a sweep asks for. The configuration of a trial is the base with what the trial sets. */
const planFileSchema = z.strictObject({
  schema: z.literal("bh-bridge/plan@1"),
  name: z.string(),
  /** What its name in the file system ends in: of base, corpus and rules. */
  hash: z.string(),
  preset: z.string(),
  /** A complete configuration. */
  base: z.record(z.string(), z.json()),
  prune: pruneSchema.nullable(),
  trials: z.array(z.strictObject({ trial: z.string(), set: z.record(z.string(), z.json()) })),
});
type PlanFile = z.output<typeof planFileSchema>;

export const planFileName = "plan.json";

/** The content of `plan.json`. */
export function planText({ name, hash, base, prune, trials }: SweepPlan): string {
  const file: PlanFile = {
    schema: "bh-bridge/plan@1",
    name,
    hash,
    preset: base.preset,
    base: JSON.parse(JSON.stringify(base.config)),
    prune,
    trials: trials.map(({ trial, set }) => ({ trial, set })),
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}

/** Read the plan of a sweep's directory. @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`. */
export function readPlan(directory: string): PlanFile {
  const path = join(directory, planFileName);
  if (!existsSync(path)) throw new BhBridgeError("RUN_NOT_FOUND", `there is no sweep in ${directory}: it has no ${planFileName}`);
  try {
    return planFileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
