import { z } from "zod";

/** Whether the step of engine `fast` is compiled, and why; seconds that compiling took, where it was tried and is over. */
export const compiledStepFields = { used: z.boolean(), reason: z.string(), seconds: z.number().nullable() };
