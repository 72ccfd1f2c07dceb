import { z } from "zod";
import { qwen3ConfigShape } from "../qwen3-config.generated.js";
import { normSchema, ownModelShape } from "./own-model-fields.js";
import { rotaryShape } from "./rotary-model.js";
import { settableFields } from "./settable-fields.js";

/** A Qwen3: Qwen3Config's own names. The sizes are the seed's; what else is left out is transformers' default. */
export const qwen3ModelSchema = z.strictObject({
  type: z.literal("qwen3").describe("The model's family, by transformers' `model_type`."),
  norm: normSchema,
  ...ownModelShape,
  ...settableFields(qwen3ConfigShape),
  ...rotaryShape,
});
