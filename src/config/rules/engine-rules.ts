import type { Engine } from "../engine-schema.js";
import { isPlainObject } from "../json-value.js";
import { families, familyOf } from "../models/families.js";
import type { RunConfig } from "../run-config-fields.js";
import { type CrossFieldRule, ownStateOptimizers } from "./cross-field-rule.js";

/** A field of which an engine supports only some values; undefined and null stand for an omitted field. */
interface Supported {
  path: string;
  value(config: RunConfig): unknown;
  has: readonly unknown[];
}

type OwnEngine = Exclude<Engine["name"], "trainer">;

/** The families that an engine supports, and the fields of which it supports only some values. */
function supportedModels(engine: OwnEngine): Supported[] {
  const supported = Object.keys(families).flatMap((type) => {
    const fields = familyOf({ type })?.engines?.[engine];
    return fields ? [{ type, fields }] : [];
  });
  return [
    { path: "model.type", value: ({ model }) => model.type, has: supported.map(({ type }) => type) },
    ...supported.flatMap(({ type, fields }) =>
      Object.entries(fields).map(([field, values]) => ({
        path: `model.${field}`,
        value: ({ model }: RunConfig) => (model.type === type ? kindOf(Object.entries(model).find(([name]) => name === field)?.[1]) : undefined),
        has: [undefined, ...values],
      })),
    ),
  ];
}

/** The kind of rotation of `rope_parameters`, and of a list of `layer_types` the first that is not the usual one; any other value itself. */
function kindOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.find((kind) => kind !== "full_attention");
  return isPlainObject(value) ? (value["rope_type"] ?? value["type"]) : value;
}

/** What both engines require of the training. */
const plainTraining: readonly Supported[] = [
  { path: "training.optim", value: ({ training }) => training.optim, has: ownStateOptimizers },
  { path: "training.compute_loss_func", value: ({ training }) => training.compute_loss_func?.function, has: [undefined] },
  { path: "training.label_smoothing_factor", value: ({ training }) => training.label_smoothing_factor, has: [undefined, 0] },
  { path: "training.neftune_noise_alpha", value: ({ training }) => training.neftune_noise_alpha, has: [undefined, null] },
  { path: "training.torch_compile", value: ({ training }) => training.torch_compile, has: [undefined, false] },
  { path: "training.activation_checkpointing", value: ({ training }) => training.activation_checkpointing, has: [undefined, null, false] },
];

/** Schedules that use only + − × ÷ √ of float64. The others call functions of the platform, such as cos and pow. */
const portableSchedules: readonly string[] = ["constant", "constant_with_warmup", "linear", "inverse_sqrt"];

/** Values that each engine supports, by field. */
export const engineSupport: Readonly<Record<OwnEngine, readonly Supported[]>> = {
  fast: [...supportedModels("fast"), ...plainTraining, { path: "training.fp16", value: ({ training }) => training.fp16, has: [undefined, false] }],
  portable: [
    ...supportedModels("portable"),
    ...plainTraining,
    { path: "model.dtype", value: ({ model }) => model.dtype, has: ["bfloat16", "float32-master"] },
    { path: "init.kind", value: ({ init }) => init.kind, has: ["normal", "singular", "snowball", "unit-noise", "file"] },
    { path: "training.bf16", value: ({ training }) => training.bf16, has: [true] },
    { path: "training.fp16_full_eval", value: ({ training }) => training.fp16_full_eval, has: [undefined, false] },
    { path: "training.lr_scheduler_type", value: ({ training }) => training.lr_scheduler_type, has: portableSchedules },
    { path: "device", value: ({ device }) => device, has: ["cpu", "auto"] },
  ],
};

/** Rules on the engine. */
export const engineRules: readonly CrossFieldRule[] = Object.entries(engineSupport).flatMap(([engine, fields]) =>
  fields.map(({ path, value, has }) => ({
    path,
    reads: ["engine.name"],
    problem: (config: RunConfig) => {
      if (config.engine.name !== engine || has.includes(value(config))) return undefined;
      const accepted = has.filter((one) => one !== undefined && one !== null).map(String);
      const remedy = accepted.length > 0 ? `use ${accepted.join(" or ")}, or engine=trainer` : "omit it, or use engine=trainer";
      return `engine ${engine} does not support ${String(value(config))}: ${remedy}`;
    },
  })),
);
