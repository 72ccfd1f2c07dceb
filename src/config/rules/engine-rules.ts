import { families, familyOf } from "../models/families.js";
import type { RunConfig } from "../run-config-fields.js";
import { type CrossFieldRule, ownStateOptimizers } from "./cross-field-rule.js";

/** The families that engine `fast` supports, and the values of those fields of which it does not support all. */
const fastFamilies = Object.keys(families).flatMap((type) => {
  const { fastEngine: fields } = familyOf({ type }) ?? {};
  return fields ? [{ type, fields }] : [];
});

/** What engine `fast` implements, where it is not everything. */
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
    const remedy = accepted.length > 0 ? `only ${accepted.join(" or ")}: use it, or engine=trainer` : "leave it out, or use engine=trainer";
    return `engine fast has no ${String(value(config))} here, ${remedy}`;
  },
}));

/** What the engine of a run implements. */
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
