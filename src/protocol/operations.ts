import { z } from "zod";
import { batchedRunsSchema, processesSchema } from "../config/engine-schema.js";
import { architectureSchema } from "../config/models/families.js";
import { normSchema, ownModelShape } from "../config/models/family.js";
import { runConfigFields } from "../config/run-config-fields.js";
import { wireNumberSchema } from "./events.js";

/** What `complete` makes of a schema. */
type Complete<Schema> =
  Schema extends z.ZodDefault<infer Inner>
    ? Complete<Inner>
    : Schema extends z.ZodPrefault<infer Inner>
      ? Complete<Inner>
      : Schema extends z.ZodObject<infer Shape>
        ? z.ZodObject<{ [Field in keyof Shape]: Complete<Shape[Field]> }, z.core.$strict>
        : Schema extends z.ZodDiscriminatedUnion
          ? z.ZodType<z.output<Schema>, z.output<Schema>>
          : Extract<Schema, z.ZodType>;

/**
 * The schema of what a schema's `parse` returns: a field that has a default is required, as its value is there by now, and no field is added. A request carries
 * sections of a configuration, and its schemas are made from theirs.
 */
export function complete<Schema extends z.ZodType>(schema: Schema): Complete<Schema> {
  return completed(schema) as Complete<Schema>;
}

function completed(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return completed(always(schema.unwrap()));
  if (schema instanceof z.ZodOptional) return new z.ZodOptional({ ...schema.def, innerType: completed(schema.unwrap()) });
  if (schema instanceof z.ZodPipe) return completed(schema.out);
  if (schema instanceof z.ZodObject) return completedObject(schema);
  if (schema instanceof z.ZodDiscriminatedUnion) return new z.ZodDiscriminatedUnion({ ...schema.def, options: schema.options.map(completed) });
  return schema;
}

/** An optional field with a default is always present. */
function always(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}

function completedObject({ shape, def }: z.ZodObject): z.core.$ZodType {
  const fields = Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, completed(field)]));
  return def.catchall === undefined ? z.strictObject(fields) : z.object(fields).catchall(def.catchall);
}

/** A Python exception on the wire. */
export const pythonErrorSchema = z.strictObject({
  type: z.string(),
  module: z.string(),
  message: z.string(),
  /** One of our error codes, for an error that was foreseen. */
  code: z.string().nullable(),
  mro: z.array(z.string()),
  traceback: z.string(),
});

/** Lines that Python has sent over the event channel so far: another pipe, so that they may arrive after the reply. */
const events = z.int().nonnegative();

/** What `invoke` returns: the reply, or the exception that ended the operation. */
export function envelopeSchema<Reply extends z.ZodType>(reply: Reply) {
  return z.union([z.strictObject({ ok: reply, events }), z.strictObject({ err: pythonErrorSchema, events })]);
}

/** How text is continued, under transformers' names; none of these names a file, a module or code. */
export const generateOptionsSchema = z.strictObject({
  max_new_tokens: z.int().min(1).optional(),
  do_sample: z.boolean().optional(),
  temperature: z.number().positive().optional(),
  top_k: z.int().min(0).optional(),
  top_p: z.number().positive().max(1).optional(),
});

// The sections of a configuration are declared with it; here they only travel, complete.
const { seed, data, init, noise, training, record, checkpoint, track } = complete(runConfigFields).shape;
const { from, dtype } = complete(z.strictObject(ownModelShape)).shape;
const config = complete(architectureSchema);

const norm = normSchema.unwrap();

const empty = z.strictObject({});

/** An object that lives in Python: a slot, and the generation of its use. A released one is never found again. */
const handleSchema = z.strictObject({ slot: z.int().nonnegative(), generation: z.int().positive() });
export type Handle = z.output<typeof handleSchema>;

const parameterSchema = z.strictObject({ name: z.string(), shape: z.array(z.int()), dtype: z.enum(["BF16", "F16", "F32", "F64"]) });
const modelReplySchema = z.strictObject({
  handle: handleSchema,
  parameter_count: z.int(),
  parameters: z.array(parameterSchema),
  norm,
  // Names of the two parameters; a tied head is the embedding, and a model without one has none.
  embedding: z.string(),
  head: z.string().nullable(),
});
const storedTensorSchema = z.strictObject({ dtype: z.enum(["BF16", "F16", "F32", "F64"]), shape: z.array(z.int()) });

/** What `hello` tells of the Python process; kept in `run.json` as the environment of the run. */
const environmentSchema = z.strictObject({
  protocol: z.int(),
  python: z.string(),
  executable: z.string(),
  pid: z.int(),
  torch: z.string(),
  packages: z.record(z.string(), z.string().nullable()),
  platform: z.string(),
  cpu_capability: z.string(),
  processor: z.string(),
  threads: z.int(),
  devices: z.strictObject({ cuda: z.array(z.string()), mps: z.boolean() }),
});
export type PythonEnvironment = z.output<typeof environmentSchema>;

/** A decider as Python sees it: when to ask, and how long to wait. */
const deciderSchema = z.strictObject({
  every: z.int().positive().nullable(),
  on: z.array(z.enum(["step_end", "log", "evaluate"])),
  timeout_seconds: z.number().positive(),
});

const trainReplySchema = z.strictObject({
  status: z.enum(["completed", "stopped"]),
  reason: z.string().nullable(),
  global_step: z.int(),
  max_steps: z.int(),
  steps_this_time: z.int(),
  seconds: z.number(),
  log_history: z.array(z.record(z.string(), wireNumberSchema)),
  best_metric: wireNumberSchema.nullable(),
});

/** TrainerState of transformers, under its own names. */
const trainerStateReplySchema = z.strictObject({
  global_step: z.int(),
  max_steps: z.int(),
  epoch: z.number().nullable(),
  num_train_epochs: z.int(),
  logging_steps: z.number(),
  train_batch_size: z.int().nullable(),
  best_metric: wireNumberSchema.nullable(),
  best_global_step: z.int().nullable(),
  log_history: z.array(z.record(z.string(), wireNumberSchema)),
});
export type TrainerState = z.output<typeof trainerStateReplySchema>;

/** How the steps are computed, as TypeScript has decided it. */
const engineRequestSchema = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("trainer"), exact: z.enum(["auto", "off"]), graph: z.enum(["auto", "off"]), processes: processesSchema }),
  z.strictObject({
    name: z.literal("fast"),
    graph: z.enum(["auto", "off"]),
    batched_runs: batchedRunsSchema,
    processes: z.literal(1),
  }),
  z.strictObject({ name: z.literal("portable"), processes: z.literal(1) }),
]);

/** Steps to record beside the first and the last: an interval or a list. A schedule given as text has been expanded. */
const stepsSchema = z.union([z.int().min(1), z.array(z.int().nonnegative()).min(1)]);

/** Every operation that crosses the bridge: the request that TypeScript sends, the reply that Python gives. */
export const operations = {
  hello: {
    request: z.strictObject({
      protocol: z.int(),
      channel: z.strictObject({ path: z.string(), token: z.string() }),
      threads: z.int().positive().nullable(),
      device: z.string(),
      // The cores that the process keeps to; null lets it run on any.
      cores: z.array(z.int().nonnegative()).nullable(),
    }),
    // A Python of another version answers with its version alone, so that both can be named.
    reply: z.union([environmentSchema, z.strictObject({ protocol: z.int(), python: z.string() })]),
  },
  renew: { request: empty, reply: empty },
  release: { request: z.strictObject({ handle: handleSchema }), reply: empty },
  "model.create": {
    // The seeds are those of the weights and of the initial state, whatever the configuration leaves to its `seed`.
    // Draws are those of torch, or those of engine `portable`, which are the same on every machine.
    request: z.strictObject({ from, config, norm, dtype, init, seed, init_seed: seed, draws: z.enum(["torch", "portable"]) }),
    reply: modelReplySchema,
  },
  "model.tensor": { request: z.strictObject({ handle: handleSchema, name: z.string(), path: z.string() }), reply: storedTensorSchema },
  "model.set_tensor": {
    request: z.strictObject({ handle: handleSchema, name: z.string(), path: z.string(), dtype: z.string(), shape: z.array(z.int()) }),
    reply: empty,
  },
  "model.forward": {
    request: z.strictObject({ handle: handleSchema, tokens: z.array(z.array(z.int().nonnegative())), path: z.string() }),
    reply: storedTensorSchema,
  },
  "model.generate": {
    request: z.strictObject({ handle: handleSchema, tokens: z.array(z.int().nonnegative()), options: generateOptionsSchema, seed: z.int().nullable() }),
    reply: z.strictObject({ tokens: z.array(z.int()) }),
  },
  "model.save": { request: z.strictObject({ handle: handleSchema, directory: z.string(), overwrite: z.boolean() }), reply: empty },
  "model.to": { request: z.strictObject({ handle: handleSchema, device: z.string() }), reply: z.strictObject({ device: z.string() }) },
  "trainer.create": {
    request: z.strictObject({
      model: handleSchema,
      engine: engineRequestSchema,
      run_directory: z.string(),
      // The built-in corpus has a path too by now, as has a tokenizer that was trained, weights are numbers of windows, and a window has its length.
      data: data.omit({ train_tokenizer: true, field: true }).extend({
        corpus: z.union([z.string(), z.array(z.strictObject({ path: z.string(), windows: z.int().positive() })).min(1)]),
        window_length: z.int().positive(),
      }),
      training,
      dtype,
      // Of what is drawn during the steps, and of the order of the windows.
      seed,
      data_seed: seed,
      device: z.string(),
      noise,
      record: record.extend({ every: stepsSchema, schedules: z.record(z.string(), stepsSchema).optional() }),
      checkpoint,
      track,
      events: z.array(z.string()),
      deciders: z.array(deciderSchema),
      // A run that ended early: go back to its newest checkpoint, and compare what is recomputed (exact) or replace it.
      resume: z.enum(["exact", "inexact"]).nullable(),
      // A checkpoint directory of HF's Trainer, whose optimizer, schedule and random streams the run begins with.
      start_from: z.string().nullable(),
      // Steps that are trained again, to be compared: the run ends after this one, on the schedule of all, and leaves no model. Its only checkpoint is of step checkpoint.every.
      until: z.int().positive().nullable(),
      // What one step computes goes into this directory, tensor by tensor.
      trace: z.strictObject({ step: z.int().positive(), directory: z.string() }).nullable(),
    }),
    reply: z.strictObject({
      handle: handleSchema,
      windows: z.int(),
      device: z.string(),
      // The step after which training continues: that of a checkpoint, else 0.
      from_step: z.int().nonnegative(),
      // The newest recorded step of a resumed run, −1 for none: up to it steps are computed a second time.
      recorded_step: z.int(),
      rejected_checkpoints: z.array(z.string()),
    }),
  },
  "trainer.train": { request: z.strictObject({ handle: handleSchema, training: z.int().positive() }), reply: trainReplySchema },
  // Several trainings at once; of each the reply of `trainer.train`, or what ended it.
  "trainer.train_stack": {
    request: z.strictObject({ trainings: z.array(z.strictObject({ handle: handleSchema, training: z.int().positive() })).min(1) }),
    reply: z.strictObject({ ended: z.array(z.strictObject({ ok: trainReplySchema.nullable(), err: pythonErrorSchema.nullable() })) }),
  },
  "trainer.evaluate": {
    request: z.strictObject({ handle: handleSchema }),
    reply: z.strictObject({ loss: wireNumberSchema, perplexity: wireNumberSchema }),
  },
  "trainer.state": { request: z.strictObject({ handle: handleSchema }), reply: trainerStateReplySchema },
  "trainer.close": { request: z.strictObject({ handle: handleSchema }), reply: empty },
} as const;

export type Operations = typeof operations;
export type Operation = keyof Operations;
export type RequestOf<Op extends Operation> = z.input<Operations[Op]["request"]>;
export type ReplyOf<Op extends Operation> = z.output<Operations[Op]["reply"]>;

/** Raised whenever a request, a reply or an event changes; both languages name theirs in the first exchange. */
export const protocolVersion = 1;
