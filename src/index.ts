export { BhBridgeError, type ConfigIssue, type ErrorCode, errorCodes, exitCodes, type ProcessExit, type PythonError } from "./errors.js";
export { type TrainedRun, type TrainOptions, train } from "./experiment/train.js";
export { type TrainResult, trainResultSchema } from "./experiment/train-result.js";
export { Bridge, type BridgeOptions, type ModelOptions } from "./training/bridge.js";
export { type GenerateOptions, Model, type Parameter } from "./training/model.js";
export { Trainer, type TrainerOptions, type TrainOutcome } from "./training/trainer.js";
export * from "./training/trainer-callback.js";
