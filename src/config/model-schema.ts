import { z } from "zod";
import type { otherModelTypes } from "./model-types.generated.js";
import { gpt2ModelSchema } from "./models/gpt2-model.js";
import { llamaModelSchema } from "./models/llama-model.js";
import { otherModelSchema } from "./models/other-model.js";
import type { OwnModelField } from "./models/own-model-fields.js";
import { qwen3ModelSchema } from "./models/qwen3-model.js";
import { tinylmModelSchema } from "./models/tinylm-model.js";
import type { ModelInput } from "./run-config-input.generated.js";

type FamilyInput<Type extends string> = Omit<Extract<ModelInput, { type?: Type | undefined }>, OwnModelField>;

/** What `createModel({ config })` takes: GPT2Config's fields under their own names, every one optional. */
export type GPT2Config = FamilyInput<"gpt2">;
/** LlamaConfig's fields, for `createModel({ type: "llama", config })`. */
export type LlamaConfig = FamilyInput<"llama">;
/** Qwen3Config's fields, for `createModel({ type: "qwen3", config })`. */
export type Qwen3Config = FamilyInput<"qwen3">;
/** TinyLMConfig's fields, for `createModel({ type: "tinylm", config })`. */
export type TinyLMConfig = FamilyInput<"tinylm">;

/** A family whose fields Python alone knows. */
export type OtherModelType = (typeof otherModelTypes)[number];

/** The model, by `type`: the names of its configuration in transformers, and three fields on how it is built. */
export const modelSchema = z.discriminatedUnion("type", [gpt2ModelSchema, llamaModelSchema, qwen3ModelSchema, tinylmModelSchema, otherModelSchema]);

const built = { norm: true, dtype: true, from: true } as const;

/** The architecture alone, as it reaches Python: without how it is built. */
export const architectureSchema = z.discriminatedUnion("type", [
  gpt2ModelSchema.omit(built),
  llamaModelSchema.omit(built),
  qwen3ModelSchema.omit(built),
  tinylmModelSchema.omit(built),
  otherModelSchema.omit(built),
]);
