import { z } from "zod";
import type { Matrix } from "../formats/matrix.js";
import { isMatrix } from "../formats/require-matrix.js";
import { generateOptionsSchema } from "../protocol/generate-options.js";

const tokenRow = z.array(z.int().nonnegative());
const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

/** What `Model.generate` takes. */
export const generateArguments = z.strictObject({ tokens: tokenRow, ...generateOptionsSchema.shape, seed: seed.optional() });

/** What `Model.forward` takes. */
export const forwardArguments = z.strictObject({ tokens: z.array(tokenRow) });

/** What `Model.tensor` takes. */
export const tensorArguments = z.strictObject({ name: z.string().min(1) });

/** What `Model.setTensor` takes. */
export const setTensorArguments = z.strictObject({
  name: z.string().min(1),
  matrix: z.custom<Matrix>(isMatrix, "is not a Matrix: take one from model.tensor() or a checkpoint, or make one with new Matrix(dtype, shape, bytes)"),
});

/** What `Model.to` takes. */
export const toArguments = z.strictObject({ device: z.enum(["cpu", "cuda", "mps"]) });
