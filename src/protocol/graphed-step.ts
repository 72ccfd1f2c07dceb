import { z } from "zod";

/** Whether steps are replayed from a CUDA graph, and why; seconds of a step without and with it, where both were measured. */
export const graphedStepFields = { used: z.boolean(), reason: z.string(), eager_seconds: z.number().nullable(), graphed_seconds: z.number().nullable() };
