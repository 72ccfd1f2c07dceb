import { z } from "zod";
import type { PythonSession } from "../python/python-session.js";
import { Model } from "./model.js";

const remedy = "make one with createModel() of the same bridge";

/** What `Bridge.createTrainer` takes beside the fields of a configuration, which are checked with it. */
export function trainerArguments(session: PythonSession) {
  return z.looseObject({
    model: z.custom<Model>((value) => Model.isOf(session, value), `is not a model of this bridge: ${remedy}`),
    callbacks: z.array(z.custom<object>((value) => typeof value === "object" && value !== null, "is not a TrainerCallback")).optional(),
    out: z.string().min(1).optional(),
    signal: z.custom<AbortSignal>((value) => value instanceof AbortSignal, "is not an AbortSignal").optional(),
  });
}
