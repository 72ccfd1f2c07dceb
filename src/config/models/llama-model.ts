import { z } from "zod";
import { builtFields, type Family, normSchema, ownModelShape } from "./family.js";
import { llamaConfigShape } from "./model-configs.generated.js";
import { rotaryRules, rotaryShape, rotaryWeightCount, settableFields } from "./rotary-model.js";

/** A Llama: LlamaConfig's own names. The sizes are the seed's; what else is left out is transformers' default. */
const llamaModelSchema = z.strictObject({
  type: z.literal("llama").describe("The model's family, by transformers' `model_type`."),
  norm: normSchema,
  ...ownModelShape,
  ...settableFields(llamaConfigShape),
  ...rotaryShape,
});

export const llama = {
  title: "Llama",
  section: llamaModelSchema,
  architecture: llamaModelSchema.omit(builtFields),
  ownNorm: "native",
  rules: rotaryRules,
  weights: (model) => rotaryWeightCount(model),
} as const satisfies Family<z.output<typeof llamaModelSchema>>;
