import { z } from "zod";
import { llamaConfigShape } from "../llama-config.generated.js";
import { builtFields, type Family } from "./family.js";
import { normSchema, ownModelShape } from "./own-model-fields.js";
import { rotaryRules, rotaryShape, rotaryWeightCount } from "./rotary-model.js";
import { settableFields } from "./settable-fields.js";

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
