import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { presentEvent, stepMethodFields } from "./step-method.js";

/** A number in which non-finite values travel as the strings `NaN`, `Infinity` and `-Infinity`: JSON has no others. */
export const wireNumberSchema = z.union([z.number(), z.literal(["NaN", "Infinity", "-Infinity"]).transform(Number)]);

const position = { seq: z.int().nonnegative(), mono: z.number(), wall: z.number() };
const at = { global_step: z.int().nonnegative(), epoch: z.number().nullable() };

function eventSchema<const Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.strictObject({ ...position, type: z.literal(type), ...at, ...shape });
}

function plainEventSchema<const Type extends string>(type: Type) {
  return eventSchema(type, {});
}

/** Numbers under the names that HF gives them: `loss`, `grad_norm`, `learning_rate`, `epoch`. */
const metricsSchema = z.record(z.string(), wireNumberSchema);

const trainBeginEventSchema = eventSchema("train_begin", {
  max_steps: z.int(),
  logging_steps: z.number(),
  num_train_epochs: z.int(),
  train_batch_size: z.int().nullable(),
  // SHA-256 of the numbers of the windows of text, in the order of the first epoch; null if the engine does not report it, as in older runs.
  window_order: z.string().nullable().default(null),
});
const stepEndEventSchema = eventSchema("step_end", { loss: wireNumberSchema });
const logEventSchema = eventSchema("log", { logs: metricsSchema });
const evaluateEventSchema = eventSchema("evaluate", { metrics: metricsSchema });
const saveEventSchema = eventSchema("save", { checkpoint: z.string() });
const trainEndEventSchema = plainEventSchema("train_end");
const predictEventSchema = eventSchema("predict", { metrics: metricsSchema.nullable() });

/**
 * One event of a training: a line of `events.jsonl`, a message of the event channel, and what a callback receives. `seq` counts the events of a run; `mono` is
 * a monotonic clock and `wall` the time of day, both in seconds.
 */
export const trainEventSchema = z.discriminatedUnion("type", [
  trainBeginEventSchema,
  stepEndEventSchema,
  logEventSchema,
  evaluateEventSchema,
  saveEventSchema,
  trainEndEventSchema,
  predictEventSchema,
  plainEventSchema("init_end"),
  plainEventSchema("epoch_begin"),
  plainEventSchema("epoch_end"),
  plainEventSchema("step_begin"),
  plainEventSchema("pre_optimizer_step"),
  plainEventSchema("optimizer_step"),
  plainEventSchema("substep_end"),
  plainEventSchema("prediction_step"),
  plainEventSchema("push_begin"),
  eventSchema("resumed", { recomputed_to: z.int() }),
  // What Python has used since the event before: cores busy on average, memory at its peak.
  eventSchema("usage", { seconds: z.number(), cpu_cores: z.number(), peak_bytes: z.int(), gpu_peak_bytes: z.int().nullable() }),
  eventSchema("alert", { kind: z.enum(["non-finite", "stall", "tracker"]), message: z.string() }),
  // From here on; `graphed` is reported only on CUDA, `compiled` only by earlier versions.
  eventSchema("step_method", stepMethodFields),
  eventSchema("stopped", { reason: z.string() }),
  eventSchema("checkpoint_rejected", { problem: z.string() }),
  eventSchema("decider_timeout", { decider: z.int() }),
]);

/** An event of the log of a run, which an earlier version may have written. */
export const storedEventSchema = z.preprocess(presentEvent, trainEventSchema);

/** When each event occurs, for the documentation. */
export const trainEventMeanings: Readonly<Record<TrainEventType, string>> = {
  init_end: "The Trainer has been built.",
  train_begin: "Training starts. `max_steps` and the others are the settings in use.",
  epoch_begin: "An epoch, which is one pass over the training windows, starts.",
  step_begin: "A step starts.",
  pre_optimizer_step: "The gradients of a step are complete and clipped; the optimizer runs next.",
  optimizer_step: "The optimizer has changed the weights; the gradients still exist.",
  substep_end: "A batch of a step has been computed that is not its last one (`gradient_accumulation_steps`).",
  step_end: "A step has ended and is recorded. `loss` is its loss.",
  log: "An entry of the loss table, every `training.logging_steps` steps. `logs` has the numbers under the names of transformers.",
  evaluate: "An evaluation on the held-out text has ended. `metrics` has its numbers.",
  predict: "A prediction has ended.",
  prediction_step: "A batch of an evaluation or a prediction has been computed.",
  save: "A checkpoint has been saved; `checkpoint` is its directory.",
  push_begin: "transformers is about to upload a model. bh-bridge uploads nothing, so this does not occur.",
  epoch_end: "An epoch has ended.",
  train_end: "Training has ended.",
  resumed: "The run was resumed. Steps up to `recomputed_to` are computed again and compared with the recorded ones.",
  usage: "Resources of Python since the event before: `seconds`, `cpu_cores` busy on average, and the peak of memory.",
  alert: "A loss is not finite, or nothing has happened for a long time (`stall`).",
  step_method: "How steps are computed from here on, and why. `reference_seconds` and `seconds` are the times without and with the method, if measured.",
  stopped: "Training stops early; `reason` says why.",
  checkpoint_rejected: "A checkpoint failed its verification and was not used; `problem` says why.",
  decider_timeout: "A decider did not answer in time, and training continued.",
};

/** Events of every step, which are dropped while the reader of the stream lags. All others always arrive. */
export const coalescibleEvents = ["step_begin", "pre_optimizer_step", "optimizer_step", "substep_end", "step_end", "prediction_step"] as const;

export type TrainEvent = z.output<typeof trainEventSchema>;
/** Type of a training event. */
export type TrainEventType = TrainEvent["type"];

/** The event of one type. */
export type TrainEventOf<Type extends TrainEventType> = Extract<TrainEvent, { type: Type }>;

/** What a decider is shown: TrainerState under its own names, with the loss of the latest step. */
const trainerStateSchema = z.strictObject({
  global_step: z.int(),
  max_steps: z.int(),
  epoch: z.number().nullable(),
  loss: wireNumberSchema,
  best_metric: wireNumberSchema.nullable(),
  log_history: z.array(metricsSchema),
});
export type DecisionState = z.output<typeof trainerStateSchema>;

/** What a decider answers: the fields of TrainerControl that it switches on. */
export const trainerControlSchema = z.strictObject({
  should_training_stop: z.boolean().optional(),
  should_epoch_stop: z.boolean().optional(),
  should_save: z.boolean().optional(),
  should_evaluate: z.boolean().optional(),
  should_log: z.boolean().optional(),
});
export type TrainerControl = z.output<typeof trainerControlSchema>;

/** What a decider answered, checked: nothing at all is an answer too. @throws {BhBridgeError} `PROTOCOL_INVALID` naming the field. */
export function parseTrainerControl(answer: unknown): TrainerControl {
  const control = trainerControlSchema.safeParse(answer ?? {});
  if (control.success) return control.data;
  throw new BhBridgeError("PROTOCOL_INVALID", `the answer is not a TrainerControl: ${z.prettifyError(control.error)}`, { cause: control.error });
}

/** Everything that Python sends over the event channel. */
export const channelMessageSchema = z.discriminatedUnion("type", [
  ...trainEventSchema.options,
  // Number of step events that were dropped here.
  z.strictObject({ type: z.literal("coalesced"), events: z.int().positive() }),
  z.strictObject({
    type: z.literal("decide"),
    question: z.int(),
    decider: z.int().nonnegative(),
    event: z.enum(["step_end", "log", "evaluate"]),
    state: trainerStateSchema,
  }),
]);
export type ChannelMessage = z.output<typeof channelMessageSchema>;

/** Everything that Node sends over it. */
export const channelCommandSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("stop"), training: z.int(), reason: z.string() }),
  // A checkpoint after the current step of the training; it goes on.
  z.strictObject({ type: z.literal("save"), training: z.int() }),
  z.strictObject({ type: z.literal("answer"), question: z.int(), control: trainerControlSchema }),
  // End the call of this number, counted from hello, which is 1.
  z.strictObject({ type: z.literal("interrupt"), call: z.int().positive() }),
  // Node is about to close the bridge: every training ends after its step.
  z.strictObject({ type: z.literal("leave") }),
]);
export type ChannelCommand = z.output<typeof channelCommandSchema>;
