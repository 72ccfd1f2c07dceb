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

/** When training waits for an answer, and the answer. */
export interface Decider {
  /** Ask after every so many steps. */
  every?: number;
  /** Ask at these events as well. */
  on?: readonly ("step_end" | "log" | "evaluate")[];
  /** How long training waits, in milliseconds; then it goes on undecided, and a `decider_timeout` event says so. 30 s when left out. */
  timeoutMs?: number;
  /** Answer with the fields of TrainerControl to switch on, under HF's names. */
  ask(state: DecisionState): TrainerControl | undefined | Promise<TrainerControl | undefined>;
}

/**
 * Watch a training, and steer it.
 *
 * Each method is the event of transformers' TrainerCallback with the same name, and an observer: it gets a copy soon after (within 50 ms), one at a time and in
 * order, and never holds up training. Only the events of overridden methods are sent. A callback that falls far behind misses events of steps, and of nothing
 * else; the outcome counts them. `decide` is asked while training waits.
 *
 * When a method throws, training ends after its step and `train()` rejects with `USER_CALLBACK_FAILED`; with `onError = "continue"` it goes on.
 */
export abstract class TrainerCallback {
  /** What a thrown error does: end the training (the default), or a warning on stderr. */
  onError: "stop" | "continue" = "stop";
  /** How long an asynchronous observer may take for one event, in milliseconds; one that has not ended by then counts as thrown. */
  timeoutMs = 30_000;
  /** When training waits for an answer of this callback; it observes as well. */
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

/** The event type of each method: Python's name, and ours. */
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
