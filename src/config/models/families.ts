import { z } from "zod";
import type { ModelInput } from "../run-config-input.generated.js";
import { builtFields, type Family, modelFieldSchema, normSchema, type OwnModelField, ownModelShape, vocabularySchema } from "./family.js";
import { gpt2 } from "./gpt2-model.js";
import { llama } from "./llama-model.js";
import { otherModelTypes } from "./model-configs.generated.js";
import { pythonModelSchema } from "./python-model.js";
import { qwen3 } from "./qwen3-model.js";
import { tinylm } from "./tinylm-model.js";

/** Any other family: Python checks its fields against the configuration class before the model is built. */
const otherModelSchema = z
  .object({
    type: z.enum(otherModelTypes).describe("Family of the model, by `model_type` of transformers. Its other fields are those of its configuration class."),
    norm: normSchema,
    ...ownModelShape,
    vocab_size: vocabularySchema,
  })
  .catchall(modelFieldSchema);

/** The described families, by `model_type`. */
export const families = { gpt2, llama, qwen3, tinylm } as const;
export type FamilyName = keyof typeof families;

/** The family of a configuration without `model.type`. */
export const defaultFamily = "gpt2" satisfies FamilyName;

const [first, ...further] = Object.values(families);
if (first === undefined) throw new Error("there is no family");

/** The model, by `type`: the fields of its configuration in transformers, and how it is built. */
export const modelSchema = z.discriminatedUnion("type", [first.section, ...further.map(({ section }) => section), pythonModelSchema, otherModelSchema]);

/** The architecture that Python receives, without the fields on how the model is built. */
export const architectureSchema = z.discriminatedUnion("type", [
  first.architecture,
  ...further.map(({ architecture }) => architecture),
  pythonModelSchema.omit(builtFields),
  otherModelSchema.omit(builtFields),
]);

/** The section `model` of any family. */
export type ModelConfig = z.output<typeof modelSchema>;

/** The description of a family; undefined for a family whose fields only Python knows. */
export function familyOf({ type }: { readonly type: unknown }): Family<ModelConfig> | undefined {
  return typeof type === "string" && Object.hasOwn(families, type) ? (families[type as FamilyName] as unknown as Family<ModelConfig>) : undefined;
}

/** Whether a model can be trained from a file of weights alone. */
export function isReadFromWeights(model: ModelConfig): model is Extract<ModelConfig, { type: ReadFromWeights }> {
  return familyOf(model)?.isReadFromWeights === true;
}
type ReadFromWeights = { [Name in FamilyName]: (typeof families)[Name] extends { isReadFromWeights: true } ? Name : never }[FamilyName];

/** Whether a model has an output head separate from its embedding. */
export function hasOwnHead(model: ModelConfig): boolean {
  const isTied = "tie_word_embeddings" in model && model.tie_word_embeddings;
  return !familyOf(model)?.isAlwaysTied && !isTied;
}

/** The family of a saved `config.json` without `model_type`. */
export function familyWithoutName(saved: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(families).find((type) => {
    const { knownBy } = familyOf({ type }) ?? {};
    return knownBy !== undefined && saved[knownBy] !== undefined;
  });
}

/** The argument of `createModel({ config })`: the fields of a family's configuration, all optional. */
export type FamilyInput<Type extends FamilyName> = Omit<Extract<ModelInput, { type?: Type | undefined }>, OwnModelField>;
export type GPT2Config = FamilyInput<"gpt2">;
export type LlamaConfig = FamilyInput<"llama">;
export type Qwen3Config = FamilyInput<"qwen3">;
export type TinyLMConfig = FamilyInput<"tinylm">;

/** A family whose fields only Python knows. */
export type OtherModelType = (typeof otherModelTypes)[number];
