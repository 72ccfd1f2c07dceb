import { z } from "zod";
import { runConfigFields } from "../config/run-config-fields.js";

const { device, threads } = runConfigFields.shape;
const signal = z.custom<AbortSignal>((value) => value instanceof AbortSignal, "is not an AbortSignal").optional();

/** What `Bridge.start` takes. */
export const startArguments = z.strictObject({ python: z.string().min(1).optional(), threads: threads.optional(), device: device.optional(), signal });

/** What `Bridge.createModel` takes; the values of a configuration are checked with it. */
export const createModelArguments = z.strictObject({
  from: z.string().min(1).optional(),
  config: z.looseObject({}).optional(),
  norm: z.unknown().optional(),
  dtype: z.unknown().optional(),
  init: z.unknown().optional(),
  seed: z.unknown().optional(),
  seeds: z.unknown().optional(),
  type: z.unknown().optional(),
});
