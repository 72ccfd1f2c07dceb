import { z } from "zod";
import { builtFields, type Family, normSchema, ownModelShape } from "./family.js";
import { llamaConfigShape } from "./model-configs.generated.js";
import { rotaryRules, rotaryShape, rotaryWeightCount, settableFields } from "./rotary-model.js";

/** The fields of LlamaConfig, with the notebook's sizes; other omitted fields use the defaults of transformers. */
const llamaModelSchema = z.strictObject({
  type: z.literal("llama").describe("Family of the model, by `model_type` of transformers."),
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
