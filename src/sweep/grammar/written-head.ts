import { z } from "zod";
import { executorNames } from "../executors/executors.js";
import { jsonValueSchema } from "./axis.js";

/** Fields of a configuration and what they are set to: nested, or by dotted path. */
export const valuesSchema = z.record(z.string(), jsonValueSchema);

/** What sweeps and experiments begin with when they are written. @param training what each of them trains: `trial`, `run`. */
export function writtenHead(kind: "sweep" | "experiment", training: string) {
  return {
    $schema: z.string().optional().describe("The JSON Schema of this file, for editors."),
    name: z.string().min(1).max(200).optional().describe(`Name of the ${kind}; that of its file when left out.`),
    base: z
      .union([z.string().min(1), valuesSchema])
      .optional()
      .describe(`What every ${training} starts from: a preset, a configuration file, or the fields themselves.`),
    executor: z
      .enum(executorNames)
      .optional()
      .describe(`Where each ${training} is trained, unless --executor says another: ${executorNames.join(", ")}.`),
  };
}
