import { z } from "zod";

/** One thing that was looked at. */
const doctorCheckSchema = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  /** What is there; null when there is nothing. */
  found: z.string().nullable(),
  expected: z.string(),
  /** The command, or the deed, that mends it; null when all is well. */
  fix: z.string().nullable(),
});

/** What `doctor --measure` adds: how fast the default configuration trains with each number of CPU threads. */
const doctorMeasureSchema = z.strictObject({
  threads: z.array(z.strictObject({ threads: z.int().positive(), stepsPerSecond: z.number().positive() })),
  /** The number of threads that was fastest. */
  fastest: z.int().positive(),
});

/** What `doctor --json` prints. */
export const doctorDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/doctor@1"),
  /** Whether every check is. */
  ok: z.boolean(),
  checks: z.array(doctorCheckSchema),
  /** With `--measure`, where everything that training needs is there. */
  measure: doctorMeasureSchema.optional(),
});

export type DoctorMeasure = z.infer<typeof doctorMeasureSchema>;
export type DoctorCheck = z.infer<typeof doctorCheckSchema>;
export type DoctorDocument = z.infer<typeof doctorDocumentSchema>;
