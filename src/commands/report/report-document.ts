import { z } from "zod";

/** The document of `report --json`: what was written, and what could not be shown. */
export const reportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/report@1"),
  /** What the report is about. */
  of: z.enum(["runs", "experiment", "sweep"]),
  /** Absolute path of the HTML file, or of the Markdown; null where figures alone were asked for. */
  report: z.string().nullable(),
  /** Absolute path of the folder with the figures; null where there is none. */
  folder: z.string().nullable(),
  /** The figures of the report; `files` are names in `folder`, and none where there is no folder. */
  figures: z.array(z.strictObject({ name: z.string(), title: z.string(), files: z.array(z.string()).readonly() })),
  /** Figures that a run has nothing for, and why. */
  absent: z.array(z.strictObject({ name: z.string(), run: z.string(), reason: z.string() })),
});
export type ReportDocument = z.output<typeof reportDocumentSchema>;
