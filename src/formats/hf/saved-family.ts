/** What a `config.json` says of the family of its model. */
export interface SavedFamily {
  /** The family's own `model_type` in transformers; undefined where the file names none. */
  readonly type: unknown;
  /** The norm that replaces the family's own; null for none. */
  readonly norm: "rmsnorm" | "layernorm" | null;
}

/** A model with replaced norms has a `model_type` that transformers does not know, so that it never loads the weights with the family's own norms. */
const replacedType = /^(?<type>.+)_with_(?<norm>rmsnorm|layernorm)$/;
/** Until 0.2 it had the family's `model_type`, and named a class of ours. */
const replacedClass = /(?<norm>RMSNormLMHeadModel|WithRMSNormForCausalLM|WithLayerNormForCausalLM)$/;

/** The family and the norm of a saved model, by its `config.json`, whichever version saved it. */
export function savedFamily(config: Readonly<Record<string, unknown>>): SavedFamily {
  const type = config["model_type"];
  const found = typeof type === "string" ? replacedType.exec(type)?.groups : undefined;
  if (found) return { type: found["type"], norm: found["norm"] === "rmsnorm" ? "rmsnorm" : "layernorm" };
  const [name] = Array.isArray(config["architectures"]) ? config["architectures"] : [];
  const norm = typeof name === "string" ? replacedClass.exec(name)?.groups?.["norm"] : undefined;
  return { type, norm: norm === undefined ? null : norm.includes("RMSNorm") ? "rmsnorm" : "layernorm" };
}
