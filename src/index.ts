export type { AnalysisNotes, RecordedRun } from "./analysis/analysis.js";
export { type Analysed, type Analysis, type Need, partOf, type TextTable } from "./analysis/analysis.js";
export { type AnalysisDocument, analysisDocumentSchema, currentAnalysisSchema, registerAnalysis } from "./analysis/analysis-document.js";
export type { AnalyzeOptions } from "./analysis/analyze.js";
export { type Census, census } from "./analysis/census/census.js";
export { censusOfRows } from "./analysis/census/census-of-rows.js";
export { type CompareHistoriesOptions, compareHistories, type DifferingPlace, type HistoryComparison, ulpDistance } from "./analysis/compare-histories.js";
export { deadTokenMass, deadTokenMassOfHidden, deadTokenMassOverTime, type RecordedPredictions } from "./analysis/dead-mass/dead-token-mass.js";
export { centroid, centroidNorm, type Displacement, displacement } from "./analysis/geometry/centroid.js";
export { type Geometry, type GeometryOptions, geometry } from "./analysis/geometry/geometry.js";
export type { StateGeometry } from "./analysis/geometry/state-geometry.js";
export { stateGeometry } from "./analysis/geometry/state-geometry.js";
export { type Lifecycle, lifecycle } from "./analysis/lifecycle/lifecycle.js";
export { type Motion, type MotionNorms, type MotionOptions, motion } from "./analysis/motion/motion.js";
export { type StepMotion, stepMotion, type TokenNorms } from "./analysis/motion/step-motion.js";
export type { AnalysisSettings, Observation, ObservedRange, Observer, ScanOptions } from "./analysis/scan/observation.js";
export { type PopulationStatistics, populationStatistics } from "./analysis/statistics/statistics.js";
export { firstState, type StateCounts, type Timeline, timeline } from "./analysis/timeline/timeline.js";
export { type Topology, type TopologyOptions, topology } from "./analysis/topology/topology.js";
export type { Degeneracy } from "./analysis/verdict.js";
export { type Soundness, soundness, type Verdict, type VerdictInput, verdict } from "./analysis/verdict.js";
export { Bridge, type BridgeOptions, type ModelOptions } from "./bridge/bridge.js";
export { loadRunConfig } from "./bridge/load-run-config.js";
export {
  type CallOptions,
  type GenerateOptions,
  Model,
  type Parameter,
  type SaveOptions,
} from "./bridge/model.js";
export type { StartedRun } from "./bridge/started-run.js";
export type { TrainOutcome } from "./bridge/train-outcome.js";
export { Trainer } from "./bridge/trainer.js";
export {
  type Decider,
  type EpochBeginEvent,
  type EpochEndEvent,
  type EvaluateEvent,
  type InitEndEvent,
  type LogEvent,
  type OptimizerStepEvent,
  type PredictEvent,
  type PredictionStepEvent,
  type PreOptimizerStepEvent,
  type PushBeginEvent,
  type SaveEvent,
  type StepBeginEvent,
  type StepEndEvent,
  type SubstepEndEvent,
  type TrainBeginEvent,
  type TrainEndEvent,
  TrainerCallback,
} from "./bridge/trainer-callback.js";
export type { ResumeOptions, TrainerOptions } from "./bridge/trainer-options.js";
export { type CensusDocument, censusDocumentSchema } from "./commands/census/census-document.js";
export { type CompareDocument, compareDocumentSchema } from "./commands/compare/compare-document.js";
export {
  type ConfigCheckDocument,
  type ConfigDiffDocument,
  type ConfigDocument,
  type ConfigSchemaDocument,
  configCheckDocumentSchema,
  configDiffDocumentSchema,
  configDocumentSchema,
  configSchemaDocumentSchema,
} from "./commands/config/config-document.js";
export { type DoctorCheck, type DoctorDocument, doctorDocumentSchema } from "./commands/doctor/doctor-document.js";
export { type ExportDocument, exportDocumentSchema } from "./commands/export/export-document.js";
export { type InspectDocument, inspectDocumentSchema } from "./commands/inspect/inspect-document.js";
export { type PresetDocument, type PresetsDocument, presetDocumentSchema, presetsDocumentSchema } from "./commands/presets/presets-document.js";
export { type ReportDocument, reportDocumentSchema } from "./commands/report/report-document.js";
export { type ReproduceDocument, reproduceDocumentSchema } from "./commands/reproduce/reproduce-document.js";
export { type RerecordDocument, rerecordDocumentSchema } from "./commands/rerecord/rerecord-document.js";
export {
  type RunDocument,
  type RunNotesDocument,
  type RunsDocument,
  type RunsRemovedDocument,
  runDocumentSchema,
  runNotesDocumentSchema,
  runsDocumentSchema,
  runsRemovedDocumentSchema,
  type VerifyDocument,
  verifyDocumentSchema,
} from "./commands/runs/runs-document.js";
export { type SetupDocument, setupDocumentSchema } from "./commands/setup/setup-document.js";
export { type SimulateDocument, simulateDocumentSchema } from "./commands/simulate/simulate-document.js";
export {
  type SweepCancelDocument,
  type SweepExportDocument,
  type SweepLogsDocument,
  sweepCancelDocumentSchema,
  sweepExportDocumentSchema,
  sweepLogsDocumentSchema,
} from "./commands/sweep/directory-documents.js";
export { type ErrorDocument, errorDocumentSchema } from "./commands/terminal/error-document.js";
export { type HelpDocument, helpDocumentSchema } from "./commands/terminal/help-document.js";
export { type ProgressLine, progressLineSchema } from "./commands/terminal/progress-line.js";
export { type TokenizerDocument, tokenizerDocumentSchema } from "./commands/tokenizer/tokenizer-document.js";
export { type ComparablePart, type CompareOptions, type Comparison, compare, unequalParts } from "./compare/compare.js";
export type { TracedDifference } from "./compare/compare-traces.js";
export type { Divergence } from "./compare/divergence.js";
export { type ReproduceOptions, type Reproduction, reproduce } from "./compare/reproduce.js";
export { type Rerecording, type RerecordOptions, rerecord } from "./compare/rerecord.js";
export { defineRun } from "./config/define-run.js";
export type { Init, InitInput } from "./config/init-schema.js";
export type { GPT2Config, LlamaConfig, Qwen3Config, TinyLMConfig } from "./config/models/families.js";
export { type PresetName, presetNames, presets } from "./config/presets.js";
export type { RecordableTensor } from "./config/record-schema.js";
export type { ResolvedConfig, RunInput } from "./config/resolve-run-config.js";
export { type RunConfig, type RunConfigInput, runConfigSchema } from "./config/run-config-schema.js";
export type { TrainingArguments } from "./config/training-schema.js";
export {
  BhBridgeError,
  type BhBridgeErrorJson,
  type BhBridgeErrorOptions,
  type ConfigIssue,
  type ErrorCode,
  type ErrorSummary,
  errorCodes,
  exitCodes,
  type ProcessExit,
  type PythonError,
} from "./errors.js";
export { type Figure, figureSchema } from "./figures/figure.js";
export { csvOfFigure, figure, pngOfFigure, type RunFigureName, runFigureNames, svgOfFigure } from "./figures/run-figures.js";
export type { PngOptions, SvgOptions } from "./figures/svg-of-figure.js";
export type { History } from "./formats/history.js";
export { type Dtype, Matrix } from "./formats/matrix.js";
export { readState } from "./formats/read-state.js";
export { RowTokens, type TokenText } from "./formats/row-tokens.js";
export { type DecisionState, type TrainEvent, type TrainEventOf, type TrainEventType, type TrainerControl, trainEventSchema } from "./protocol/events.js";
export type { PythonEnvironment, TrainerState } from "./protocol/operations.js";
export { analyze } from "./runner/analyze-target.js";
export { type ExportOptions, exportRun } from "./runner/export-run.js";
export type { Exported, ExportTarget } from "./runner/exported.js";
export { findEqualRun } from "./runner/find-equal-run.js";
export type { FollowedTraining } from "./runner/follow-training.js";
export { type Inspection, inspect } from "./runner/inspect.js";
export { openRun, type RecordedState, type Run } from "./runner/open-run.js";
export { type ResumeRunOptions, resume } from "./runner/resume.js";
export { type RunRow, runRowSchema } from "./runner/run-row.js";
export { type SimulateOptions, type Simulation, simulate } from "./runner/simulate.js";
export { type StartingPoint, startFrom } from "./runner/start-from.js";
export { type TrainedRun, type TrainOptions, train } from "./runner/train.js";
export { type TrainResult, trainResultSchema } from "./runner/train-result.js";
export type { Checkpoint, CheckpointKind } from "./runs/checkpoint.js";
export { openCheckpoint } from "./runs/open-checkpoint.js";
export { openHistory } from "./runs/open-history.js";
export { recordedRun } from "./runs/recorded-run.js";
export type { RunManifest } from "./runs/run-manifest.js";
export {
  type BasisDocument,
  basisDocumentSchema,
  type CensusOfStateDocument,
  censusOfStateDocumentSchema,
  type DroppedDocument,
  droppedDocumentSchema,
  type HistoryDocument,
  historyDocumentSchema,
  type LiveChange,
  liveChangeSchema,
  type OverlayDocument,
  overlayDocumentSchema,
  type PlanDocument,
  planDocumentSchema,
  type RowPathDocument,
  rowPathDocumentSchema,
  type SeriesDocument,
  type ServeDocument,
  type ServedRunDocument,
  type ShelfDocument,
  seriesDocumentSchema,
  serveDocumentSchema,
  servedRunDocumentSchema,
  shelfDocumentSchema,
} from "./serve/documents.js";
export type { ConductOptions } from "./sweep/conduct-plan.js";
export { type ConcludeOptions, concludeExperiment, type EndedExperiment } from "./sweep/experiment/conclude-experiment.js";
export type { Confound } from "./sweep/experiment/confounds.js";
export { type Arm, defineExperiment, type ExperimentDefinition } from "./sweep/experiment/define-experiment.js";
export { experiment } from "./sweep/experiment/experiment.js";
export { type ExperimentDocument, experimentDocumentSchema } from "./sweep/experiment/experiment-document.js";
export { type ExperimentPreset, type ExperimentPresetName, experimentPresetNames, experimentPresets } from "./sweep/experiment/experiment-presets.js";
export type { ExperimentRun } from "./sweep/experiment/experiment-run.js";
export { experimentSummary } from "./sweep/experiment/experiment-summary.js";
export type { ExperimentVerdict } from "./sweep/experiment/experiment-verdict.js";
export { initialTensors } from "./sweep/experiment/initial-tensors.js";
export { type LoadedExperiment, loadExperiment } from "./sweep/experiment/load-experiment.js";
export type { MeasureComparison } from "./sweep/experiment/paired-statistics.js";
export type { Rules, RulesInput } from "./sweep/experiment/rules.js";
export { defineSweep, type SweepDefinition } from "./sweep/grammar/define-sweep.js";
export type { ManyRuns } from "./sweep/many-runs.js";
export { hallInterval, hallTail, sampleSkewness } from "./sweep/statistics/hall-test.js";
export { holm } from "./sweep/statistics/holm.js";
export type { Interval } from "./sweep/statistics/interval.js";
export { mcnemarTest } from "./sweep/statistics/mcnemar-test.js";
export { type Moments, moments } from "./sweep/statistics/moments.js";
export { type Pair, pairedDifferences } from "./sweep/statistics/paired-differences.js";
export { type PairedTest, type PairedTestOptions, pairedTest } from "./sweep/statistics/paired-test.js";
export { signFlipInterval } from "./sweep/statistics/sign-flip-interval.js";
export { type SignFlipTest, signFlipTail, signFlipTest } from "./sweep/statistics/sign-flip-test.js";
export { median, medianInterval, signTail } from "./sweep/statistics/sign-test.js";
export { tInterval } from "./sweep/statistics/t-interval.js";
export { pairsForNull, upperBoundOfNone } from "./sweep/statistics/upper-bound-of-none.js";
export { sweep } from "./sweep/sweep.js";
export { type SweepDocument, type SweepTrial, sweepDocumentSchema } from "./sweep/sweep-document.js";
export { type PlannedEvent, type TrialEvent, trialEventSchema } from "./sweep/trial-event.js";
export type { TrialResult } from "./sweep/trial-result.js";
