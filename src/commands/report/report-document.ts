import { z } from "zod";

/** The document of `report --json`: what was written, and what could not be shown. */
export const reportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/report@1"),
  /** What the report is about. */
  of: z.enum(["runs", "experiment", "sweep"]),
  /** Absolute path of the folder with the figures; null where none was asked for. */
  folder: z.string().nullable(),
  figures: z.array(z.strictObject({ name: z.string(), title: z.string(), files: z.array(z.string()).readonly() })),
  /** Figures that a run has nothing for, and why. */
  absent: z.array(z.strictObject({ name: z.string(), run: z.string(), reason: z.string() })),
});
export type ReportDocument = z.output<typeof reportDocumentSchema>;
