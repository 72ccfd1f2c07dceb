import { z } from "zod";
import { simulationSchema } from "../../runner/simulate.js";

/** The document of `simulate --json`. */
export const simulateDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/simulate@1"), ...simulationSchema.shape });
export type SimulateDocument = z.output<typeof simulateDocumentSchema>;
