import { z } from "zod";
import { otherModelTypes } from "../model-types.generated.js";
import { normSchema, ownModelShape, vocabularySchema } from "./own-model-fields.js";

/** Any further family: the fields are those of its configuration class, which Python checks before anything is built. */
export const otherModelSchema = z
  .object({
    type: z.enum(otherModelTypes).describe("The model's family, by transformers' `model_type`; its further fields are those of its configuration class."),
    norm: normSchema,
    ...ownModelShape,
    vocab_size: vocabularySchema,
  })
  .catchall(z.json().meta({ id: "ModelField" }));
