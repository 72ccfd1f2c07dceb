import { z } from "zod";

/** What `setup --json` prints. */
export const setupDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/setup@1"),
  /** `complete` when nothing had to be done, `continued` when the environment was there in part. */
  status: z.enum(["created", "continued", "complete"]),
  directory: z.string(),
  python: z.strictObject({ path: z.string(), version: z.string() }),
  /** Package → installed version. */
  packages: z.record(z.string(), z.string().nullable()),
  seconds: z.number(),
});

export type SetupDocument = z.infer<typeof setupDocumentSchema>;
