import { z } from "zod";
import { isPlainObject, valueAt } from "../json-value.js";
import { codeSchema, pythonNameSchema } from "../own-code.js";
import { modelFieldSchema, ownModelShape } from "./family.js";

/** A model of the user's own: a class in a Python file. Only Python knows its weights. */
export const pythonModelSchema = z.strictObject({
  type: z.literal("python").describe("A torch.nn.Module of your own."),
  norm: z.literal("native").default("native").describe("The norms are the model's own."),
  ...ownModelShape,
  code: codeSchema,
  class: pythonNameSchema.describe("The torch.nn.Module in that file. Its forward(input_ids, labels) returns loss and logits: a tuple, a dict or an object."),
  fields: z.record(z.string(), modelFieldSchema).default({}).describe("Arguments of its constructor, by name."),
  embedding: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("Name of the embedding weight, such as `tok.weight`; null uses that of the model's get_input_embeddings()."),
  vocab_size: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "Rows of the embedding; 0 uses the field `vocab_size` in `fields`, or builds the model once to count them. Without a tokenizer, tokens are bytes below this number.",
    ),
});

/** Values with the vocabulary of such a model where only its fields name it. */
export function withOwnVocabulary(values: unknown): unknown {
  const model = valueAt(["model"], values);
  const named = valueAt(["fields", "vocab_size"], model);
  if (!isPlainObject(values) || !isPlainObject(model) || model["type"] !== "python" || model["vocab_size"] || named === undefined) return values;
  return { ...values, model: { ...model, vocab_size: named } };
}

/** Values with the vocabulary of a model that nothing names, counted in Python. @param count gets the values of the section. */
export async function withCountedVocabulary(
  values: Record<string, unknown>,
  count: ((model: Record<string, unknown>, python: unknown) => Promise<number>) | undefined,
): Promise<Record<string, unknown>> {
  const model = values["model"];
  const isKnown = !isPlainObject(model) || model["type"] !== "python" || model["vocab_size"] || valueAt(["fields", "vocab_size"], model) !== undefined;
  if (isKnown || !count || typeof model["code"] !== "string" || typeof model["class"] !== "string") return values;
  return { ...values, model: { ...model, vocab_size: await count(model, values["python"]) } };
}

/** A model of the user's own must name its vocabulary, since the text is read before Python builds it. */
export const vocabularyProblem = ({ type, vocab_size }: { type: string; vocab_size: number }) =>
  type === "python" && vocab_size < 2
    ? "is missing: set it to the number of rows of the embedding, or name an argument of the constructor vocab_size and set it in model.fields"
    : undefined;
