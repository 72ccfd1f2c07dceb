import { z } from "zod";

/** How text is continued, under transformers' names; none of these names a file, a module or code. */
export const generateOptionsSchema = z.strictObject({
  max_new_tokens: z.int().min(1).optional(),
  do_sample: z.boolean().optional(),
  temperature: z.number().positive().optional(),
  top_k: z.int().min(0).optional(),
  top_p: z.number().positive().max(1).optional(),
});
