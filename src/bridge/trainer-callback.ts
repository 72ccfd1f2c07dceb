import type { DecisionState, TrainEventOf, TrainEventType, TrainerControl } from "../protocol/events.js";

export type InitEndEvent = TrainEventOf<"init_end">;
export type TrainBeginEvent = TrainEventOf<"train_begin">;
export type TrainEndEvent = TrainEventOf<"train_end">;
export type EpochBeginEvent = TrainEventOf<"epoch_begin">;
export type EpochEndEvent = TrainEventOf<"epoch_end">;
export type StepBeginEvent = TrainEventOf<"step_begin">;
export type PreOptimizerStepEvent = TrainEventOf<"pre_optimizer_step">;
export type OptimizerStepEvent = TrainEventOf<"optimizer_step">;
export type SubstepEndEvent = TrainEventOf<"substep_end">;
export type StepEndEvent = TrainEventOf<"step_end">;
export type EvaluateEvent = TrainEventOf<"evaluate">;
export type PredictEvent = TrainEventOf<"predict">;
export type SaveEvent = TrainEventOf<"save">;
export type LogEvent = TrainEventOf<"log">;
export type PredictionStepEvent = TrainEventOf<"prediction_step">;
export type PushBeginEvent = TrainEventOf<"push_begin">;

type Observed = void | Promise<void>;

/** When training waits for a decision, and the decision. */
export interface Decider {
  /** Number of steps between two questions. */
  every?: number;
  /** Events at which to ask as well. */
  on?: readonly ("step_end" | "log" | "evaluate")[];
  /** Milliseconds that training waits (default: 30,000). After that it continues, and a `decider_timeout` event reports it. */
  timeoutMs?: number;
  /** Return the fields of TrainerControl to switch on, under HF's names. */
  ask(state: DecisionState): TrainerControl | undefined | Promise<TrainerControl | undefined>;
}

/**
 * Observe and control a training.
 *
 * Each method observes the event of the same name of transformers' TrainerCallback. Events arrive within 50 ms, in order and one at a time, and never block
 * training. Python sends only events that a method handles. A slow callback misses step events only; the outcome counts them. `decide` blocks training.
 *
 * If a method throws, training ends after its step and `train()` rejects with `USER_CALLBACK_FAILED`; with `onError = "continue"` training continues.
 */
export abstract class TrainerCallback {
  /** Effect of a thrown error: end the training (default), or print a warning on stderr. */
  onError: "stop" | "continue" = "stop";
  /** Milliseconds that an asynchronous observer may take for one event. A timeout counts as a thrown error. */
  timeoutMs = 30_000;
  /** Makes the callback a decider as well. */
  decide?: Decider;

  onInitEnd?(event: InitEndEvent): Observed;
  onTrainBegin?(event: TrainBeginEvent): Observed;
  onTrainEnd?(event: TrainEndEvent): Observed;
  onEpochBegin?(event: EpochBeginEvent): Observed;
  onEpochEnd?(event: EpochEndEvent): Observed;
  onStepBegin?(event: StepBeginEvent): Observed;
  onPreOptimizerStep?(event: PreOptimizerStepEvent): Observed;
  onOptimizerStep?(event: OptimizerStepEvent): Observed;
  onSubstepEnd?(event: SubstepEndEvent): Observed;
  onStepEnd?(event: StepEndEvent): Observed;
  onEvaluate?(event: EvaluateEvent): Observed;
  onPredict?(event: PredictEvent): Observed;
  onSave?(event: SaveEvent): Observed;
  onLog?(event: LogEvent): Observed;
  onPredictionStep?(event: PredictionStepEvent): Observed;
  onPushBegin?(event: PushBeginEvent): Observed;
}

/** The method for each event type. */
export const callbackMethods = {
  init_end: "onInitEnd",
  train_begin: "onTrainBegin",
  train_end: "onTrainEnd",
  epoch_begin: "onEpochBegin",
  epoch_end: "onEpochEnd",
  step_begin: "onStepBegin",
  pre_optimizer_step: "onPreOptimizerStep",
  optimizer_step: "onOptimizerStep",
  substep_end: "onSubstepEnd",
  step_end: "onStepEnd",
  evaluate: "onEvaluate",
  predict: "onPredict",
  save: "onSave",
  log: "onLog",
  prediction_step: "onPredictionStep",
  push_begin: "onPushBegin",
} as const satisfies Partial<Record<TrainEventType, keyof TrainerCallback>>;

export type CallbackEventType = keyof typeof callbackMethods;
