import { z } from "zod";
import { builtFields, type Family, normSchema, ownModelShape } from "./family.js";
import { qwen3ConfigShape } from "./model-configs.generated.js";
import { rotaryRules, rotaryShape, rotaryWeightCount, settableFields } from "./rotary-model.js";

/** A Qwen3: Qwen3Config's own names. The sizes are the seed's; what else is left out is transformers' default. */
const qwen3ModelSchema = z.strictObject({
  type: z.literal("qwen3").describe("The model's family, by transformers' `model_type`."),
  norm: normSchema,
  ...ownModelShape,
  ...settableFields(qwen3ConfigShape),
  ...rotaryShape,
});

/** Queries and keys have norms of their own. */
export const qwen3 = {
  title: "Qwen3",
  section: qwen3ModelSchema,
  architecture: qwen3ModelSchema.omit(builtFields),
  ownNorm: "native",
  rules: rotaryRules,
  weights: (model) => rotaryWeightCount(model, 2 * model.head_dim),
} as const satisfies Family<z.output<typeof qwen3ModelSchema>>;
