import { z } from "zod";
import { ownFunctionShape } from "./own-code.js";

const sigma = z.number().positive();
const noiseDtype = z.enum(["float32", "bfloat16"]);

/**
 * The state of the embedding before step 1, by `kind`. Every draw is made on the CPU from the configuration's seed, after the model is built; in float32 where
 * no field says otherwise. A kind only has the fields that mean something for it.
 */
export const initSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("normal").describe("The model's own initialisation, N(0, model.initializer_range); with model.from, the saved weights."),
    }),
    z.strictObject({
      kind: z
        .literal(["singular", "qwen"])
        .transform(() => "singular" as const)
        .pipe(z.literal("singular"))
        .describe("Every row is the same random unit vector. `qwen` is an alias."),
    }),
    z.strictObject({
      kind: z.literal("snowball").describe("One vector drawn from N(0, 1), not normalised, plus noise per row; added in float32, then rounded to model.dtype."),
      sigma: sigma.default(1e-5).describe("Standard deviation of the noise on each component."),
    }),
    z.strictObject({
      kind: z.literal("unit-noise").describe("One random unit vector plus noise per row."),
      sigma: sigma.default(1e-5).describe("Standard deviation of the noise on each component."),
      noise_dtype: noiseDtype
        .default("float32")
        .describe("Dtype in which vector and noise are drawn, scaled and added, before the sum is rounded to model.dtype."),
    }),
    z.strictObject({
      kind: z.literal("file").describe("The rows of a matrix in a file."),
      path: z.string().min(1).describe("Safetensors file, checkpoint or recorded history. A relative path in a config file starts at that file."),
      tensor: z.string().min(1).optional().describe("Name of the tensor, required if the file holds several matrices."),
      step: z.int().nonnegative().optional().describe("Step of a recorded history (default: its last step)."),
    }),
    z.strictObject({
      kind: z
        .literal("python")
        .describe("A function of your own: it gets the embedding [vocab, hidden] and fills it in place or returns a tensor of that shape."),
      ...ownFunctionShape,
    }),
  ])
  .describe("The state of the embedding before the first step.");

/** The initial state with its defaults filled in. */
export type Init = z.output<typeof initSchema>;

export type { InitInput } from "./run-config-input.generated.js";
