import { z } from "zod";
import { builtFields, type Family, normSchema, ownModelShape } from "./family.js";
import { qwen3ConfigShape } from "./model-configs.generated.js";
import { rotaryRules, rotaryShape, rotaryWeightCount, settableFields } from "./rotary-model.js";

/** The fields of Qwen3Config, with the notebook's sizes; other omitted fields use the defaults of transformers. */
const qwen3ModelSchema = z.strictObject({
  type: z.literal("qwen3").describe("Family of the model, by `model_type` of transformers."),
  norm: normSchema,
  ...ownModelShape,
  ...settableFields(qwen3ConfigShape),
  ...rotaryShape,
});

export const qwen3 = {
  title: "Qwen3",
  section: qwen3ModelSchema,
  architecture: qwen3ModelSchema.omit(builtFields),
  ownNorm: "native",
  rules: rotaryRules,
  // Queries and keys have norms of their own.
  weights: (model) => rotaryWeightCount(model, 2 * model.head_dim),
} as const satisfies Family<z.output<typeof qwen3ModelSchema>>;
