import { z } from "zod";

/** Whether the exact step is used, and why; seconds of a batch without and with it, where both were measured. */
export const exactStepFields = { used: z.boolean(), reason: z.string(), plain_seconds: z.number().nullable(), exact_seconds: z.number().nullable() };
