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
export type { StartedRun } from "./bridge/run-record.js";
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
export type { ResumeOptions, TrainerOptions, TrainOutcome } from "./bridge/trainer-options.js";
export { type CensusDocument, censusDocumentSchema } from "./commands/census.js";
export {
  type ConfigCheckDocument,
  type ConfigDiffDocument,
  type ConfigDocument,
  type ConfigSchemaDocument,
  configCheckDocumentSchema,
  configDiffDocumentSchema,
  configDocumentSchema,
  configSchemaDocumentSchema,
} from "./commands/config/config.js";
export { type DoctorCheck, type DoctorDocument, doctorDocumentSchema } from "./commands/doctor/checks.js";
export {
  type AuditDocument,
  auditDocumentSchema,
  type CompareDocument,
  type CorpusDocument,
  compareDocumentSchema,
  corpusDocumentSchema,
  type ExportDocument,
  exportDocumentSchema,
  type GenerateDocument,
  generateDocumentSchema,
  type ReproduceDocument,
  type RerecordDocument,
  reproduceDocumentSchema,
  rerecordDocumentSchema,
  type SimulateDocument,
  simulateDocumentSchema,
  type TokensDocument,
  tokensDocumentSchema,
} from "./commands/documents.js";
export { type InspectDocument, inspectDocumentSchema } from "./commands/inspect/next-steps.js";
export { type RulesHashDocument, rulesHashDocumentSchema } from "./commands/judge.js";
export { type PresetDocument, type PresetsDocument, presetDocumentSchema, presetsDocumentSchema } from "./commands/presets.js";
export { type ReportDocument, reportDocumentSchema } from "./commands/report.js";
export {
  type RunDocument,
  type RunNotesDocument,
  type RunsDocument,
  type RunsRemovedDocument,
  runDocumentSchema,
  runNotesDocumentSchema,
  runsDocumentSchema,
  runsRemovedDocumentSchema,
  type SignDocument,
  signDocumentSchema,
  type VerifyDocument,
  verifyDocumentSchema,
} from "./commands/runs/format-runs.js";
export { type SetupDocument, type SetupDownloadDocument, setupDocumentSchema, setupDownloadDocumentSchema } from "./commands/setup/setup.js";
export { type CompletionDocument, completionDocumentSchema } from "./commands/shell/completion.js";
export {
  type SweepCancelDocument,
  type SweepExportDocument,
  type SweepLogsDocument,
  sweepCancelDocumentSchema,
  sweepExportDocumentSchema,
  sweepLogsDocumentSchema,
} from "./commands/sweep/directory-commands.js";
export { type HelpDocument, helpDocumentSchema } from "./commands/terminal/command.js";
export { type ErrorDocument, errorDocumentSchema, type ProgressLine, progressLineSchema } from "./commands/terminal/terminal-documents.js";
export { type TokenizerDocument, tokenizerDocumentSchema } from "./commands/tokenizer.js";
export { type Audit, type AuditOptions, audit } from "./compare/audit/audit.js";
export { type ComparablePart, type CompareOptions, type Comparison, compare, unequalParts } from "./compare/compare.js";
export type { TracedDifference } from "./compare/compare-traces.js";
export type { Divergence } from "./compare/locate-divergence.js";
export { type ReproduceOptions, type Reproduction, reproduce } from "./compare/reproduce.js";
export { type Rerecording, type RerecordOptions, rerecord } from "./compare/rerecord.js";
export type { Init, InitInput } from "./config/init-schema.js";
export type { GPT2Config, LlamaConfig, Qwen3Config, TinyLMConfig } from "./config/models/families.js";
export { type PresetName, presetNames, presets } from "./config/presets.js";
export type { RecordableTensor } from "./config/record-schema.js";
export type { ResolvedConfig, RunInput } from "./config/resolve-run-config.js";
export { defineRun } from "./config/resolve-run-config.js";
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
export { readState } from "./formats/history.js";
export { type Dtype, Matrix } from "./formats/matrix.js";
export { RowTokens, type TokenText } from "./formats/row-tokens.js";
export { type DecisionState, type TrainEvent, type TrainEventOf, type TrainEventType, type TrainerControl, trainEventSchema } from "./protocol/events.js";
export type { PythonEnvironment, TrainerState } from "./protocol/operations.js";
export { type ExportOptions, exportRun } from "./runner/export-run.js";
export type { Exported, ExportTarget } from "./runner/exported.js";
export { findEqualRun } from "./runner/find-equal-run.js";
export { type GenerateTextOptions, type Generation, generateText, type SamplingOptions } from "./runner/generate-text.js";
export { type Inspection, inspect } from "./runner/inspect.js";
export type { ModelAtOptions, ModelAtStep } from "./runner/model-at.js";
export { analyze, openRun, type RecordedState, type Run } from "./runner/open-run.js";
export { type ResumeRunOptions, resume, type StartingPoint, startFrom } from "./runner/resume.js";
export { type RunRow, runRowSchema } from "./runner/run-row.js";
export { type SimulateOptions, type Simulation, simulate } from "./runner/simulate.js";
export type { FollowedTraining } from "./runner/train.js";
export { type TrainedRun, type TrainOptions, train } from "./runner/train.js";
export { type TrainResult, trainResultSchema } from "./runner/train-result.js";
export { type UntrainedTokens, type UntrainedTokensOptions, untrainedTokens } from "./runner/untrained-tokens.js";
export type { Checkpoint, CheckpointKind } from "./runs/checkpoint.js";
export { type ModelDeltas, type ModelTensor, openModelDeltas } from "./runs/model-deltas.js";
export { openHistory } from "./runs/open-history.js";
export { openCheckpoint } from "./runs/open-run-directory.js";
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
export { experiment, initialTensors } from "./sweep/experiment/experiment.js";
export { type ExperimentDocument, experimentDocumentSchema, experimentSummary } from "./sweep/experiment/experiment-summary.js";
export type { ExperimentVerdict } from "./sweep/experiment/experiment-verdict.js";
export {
  type Arm,
  defineExperiment,
  type ExperimentDefinition,
  type ExperimentPreset,
  type ExperimentPresetName,
  experimentPresetNames,
  experimentPresets,
  type LoadedExperiment,
  loadExperiment,
} from "./sweep/experiment/load-experiment.js";
export { type NoiseFloorDocument, noiseFloorDocumentSchema } from "./sweep/experiment/noise-floor.js";
export type { MeasureComparison } from "./sweep/experiment/paired-statistics.js";
export type { ExperimentRun } from "./sweep/experiment/read-experiment-run.js";
export type { Rules, RulesInput } from "./sweep/experiment/rules.js";
export type { SequentialEvidence } from "./sweep/experiment/sequential.js";
export { defineSweep, type SweepDefinition } from "./sweep/grammar/sweep-schema.js";
export { type JudgementDocument, type JudgeOptions, judge, judgementDocumentSchema, type TableRulesInput } from "./sweep/judge/judge.js";
export type { TrialResult } from "./sweep/pool/trial-task.js";
export { type CrateOptions, exportCrate } from "./sweep/ro-crate.js";
export { mcnemarTest, median, medianInterval, pairsForNull, signTail, upperBoundOfNone } from "./sweep/statistics/binomial-tests.js";
export { eHolm, type PairedEValueOptions, type PairedEValues, pairedEValues } from "./sweep/statistics/e-values.js";
export type { Interval } from "./sweep/statistics/moments.js";
export { holm, type Moments, moments, type Pair, pairedDifferences } from "./sweep/statistics/moments.js";
export { type PairedTest, type PairedTestOptions, pairedTest } from "./sweep/statistics/paired-test.js";
export { type SignFlipTest, signFlipInterval, signFlipTail, signFlipTest } from "./sweep/statistics/sign-flip-test.js";
export { hallInterval, hallTail, sampleSkewness, tInterval } from "./sweep/statistics/t-tests.js";
export type { ManyRuns } from "./sweep/sweep.js";
export { sweep } from "./sweep/sweep.js";
export {
  type JudgedEvent,
  type PlannedEvent,
  type SweepDocument,
  type SweepTrial,
  sweepDocumentSchema,
  type TrialEvent,
  trialEventSchema,
} from "./sweep/sweep-document.js";
