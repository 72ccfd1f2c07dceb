import { families, familyOf } from "../models/families.js";
import type { RunConfig } from "../run-config-fields.js";
import { type CrossFieldRule, ownStateOptimizers } from "./cross-field-rule.js";

/** Families that engine `fast` supports, with the fields of which it supports only some values. */
const fastFamilies = Object.keys(families).flatMap((type) => {
  const { fastEngine: fields } = familyOf({ type }) ?? {};
  return fields ? [{ type, fields }] : [];
});

/** Values that engine `fast` supports, by field. */
const fastEngineHas: { path: string; value(config: RunConfig): unknown; has: readonly unknown[] }[] = [
  { path: "model.type", value: ({ model }) => model.type, has: fastFamilies.map(({ type }) => type) },
  ...fastFamilies.flatMap(({ type, fields }) =>
    Object.entries(fields).map(([field, values]) => ({
      path: `model.${field}`,
      value: ({ model }: RunConfig) => (model.type === type ? Object.entries(model).find(([name]) => name === field)?.[1] : undefined),
      has: [undefined, ...values],
    })),
  ),
  { path: "training.optim", value: ({ training }) => training.optim, has: ownStateOptimizers },
  { path: "training.compute_loss_func", value: ({ training }) => training.compute_loss_func?.function, has: [undefined] },
  { path: "training.label_smoothing_factor", value: ({ training }) => training.label_smoothing_factor, has: [undefined, 0] },
  { path: "training.neftune_noise_alpha", value: ({ training }) => training.neftune_noise_alpha, has: [undefined, null] },
  { path: "training.fp16", value: ({ training }) => training.fp16, has: [undefined, false] },
  { path: "training.torch_compile", value: ({ training }) => training.torch_compile, has: [undefined, false] },
  { path: "training.activation_checkpointing", value: ({ training }) => training.activation_checkpointing, has: [undefined, null, false] },
];

const fastEngineRules: CrossFieldRule[] = fastEngineHas.map(({ path, value, has }) => ({
  path,
  reads: ["engine.name"],
  problem: (config) => {
    if (config.engine.name !== "fast" || has.includes(value(config))) return undefined;
    const accepted = has.filter((one) => one !== undefined && one !== null).map(String);
    const remedy = accepted.length > 0 ? `use ${accepted.join(" or ")}, or engine=trainer` : "omit it, or use engine=trainer";
    return `engine fast does not support ${String(value(config))}: ${remedy}`;
  },
}));

/** Rules on the engine. */
export const engineRules: readonly CrossFieldRule[] = [
  ...fastEngineRules,
  {
    path: "engine.compile",
    reads: ["engine.batched_runs"],
    problem: ({ engine }) =>
      engine.name === "fast" && engine.batched_runs > 1 && engine.compile === "on"
        ? "batched runs are not compiled: use engine.compile=off, or engine.batched_runs=1"
        : undefined,
  },
];
