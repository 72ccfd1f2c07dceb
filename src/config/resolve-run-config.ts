import { BhBridgeError, type ConfigIssue } from "../errors.js";
import { tokenizerOf } from "../formats/hf/hf-directory.js";
import { type CheckpointReaders, causalProblem, checkpointLayer } from "./checkpoint-layer.js";
import { configHash, diffRunConfigs, type FieldDifference } from "./config-hash.js";
import { nearestName } from "./config-invalid.js";
import { configValues, isPlainObject } from "./json-value.js";
import { type AliasValues, type Assignment, aliasLayer, assignmentLayer, type Layer, type MergedLayers, mergeLayers, setLayer } from "./layers.js";
import { defaultFamily } from "./models/families.js";
import { withCountedVocabulary } from "./models/python-model.js";
import { inEngineSection, withPresentPaths } from "./old-engine-fields.js";
import { parseRunConfig } from "./parse-run-config.js";
import { resolvePaths } from "./paths-in-config.js";
import { defaultPreset, isPresetName, type PresetName, presetNames, presets } from "./presets.js";
import { readConfigFile } from "./read-config-file.js";
import type { RunConfig, RunConfigInput } from "./run-config-schema.js";

/** Any part of a configuration, and the preset that it starts from. */
export interface RunInput extends RunConfigInput {
  /** Preset that provides the values of omitted fields. */
  preset?: PresetName;
}

/** Where a configuration comes from. Later ones win: defaults, preset, saved model (and its training's settings), file, input, aliases, `--set`. */
export interface ConfigSources {
  preset?: string | undefined;
  /** A JSON, YAML, TypeScript or JavaScript file; where runs can be read, also a run directory. */
  file?: string | undefined;
  /** An object, as a caller of the API gives it. */
  input?: RunInput | undefined;
  aliases?: AliasValues | undefined;
  /** Single values that another option stands for; they rank with the aliases. */
  assignments?: readonly Assignment[] | undefined;
  /** `path=value`, each. */
  set?: readonly string[] | undefined;
  /** Resume the training of the checkpoint `model.from`: the settings in its training_args.bin rank directly above the saved model. */
  resumeState?: boolean | undefined;
  /** Where relative paths start, but for those in a file, which start at that file. */
  cwd?: string;
}

/** What the folders above put in, since only they can read it. */
interface ConfigReaders {
  /** In place of `readConfigFile`. */
  readFile?: typeof readConfigFile;
  /** Read a saved model, and a file of weights. */
  checkpoint?: CheckpointReaders;
}

/** A field whose value is not the preset's, and who set it. */
export interface Change extends FieldDifference {
  source: string;
}

/** A complete configuration, and how it came to be. */
export interface ResolvedConfig {
  config: RunConfig;
  preset: PresetName;
  /** Source of every value by dotted path: `default`, `preset quick`, `checkpoint DIR`, `my.yaml:3:5`, `--steps`, `--set`, `input`. */
  sources: ReadonlyMap<string, string>;
  /** What differs from the preset. */
  changes: Change[];
  /** SHA-256 of the configuration, in hex. */
  hash: string;
  /** Fields of earlier versions that its engine does not have; another engine over the same base would. */
  unused: Record<string, unknown>;
}

/** A configuration that was complete when it was given, so that no value of it has a source. */
export function alreadyResolved(config: RunConfig, preset: PresetName, changes: Change[] = []): ResolvedConfig {
  return { config, preset, sources: new Map(), changes, hash: configHash(config), unused: {} };
}

/** The base of a plan, as it was stored. @throws {BhBridgeError} `CONFIG_INVALID`. */
export function storedBase(stored: Record<string, unknown>, preset: string): ResolvedConfig {
  const { values, unused } = inEngineSection(stored);
  return { ...alreadyResolved(parseRunConfig(values), isPresetName(preset) ? preset : defaultPreset), unused };
}

/**
 * Put a configuration together from its sources and check it.
 * @param readers what reads more than this folder knows of: runs, and files of weights.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, each with its path, its source, and what is accepted.
 */
export async function resolveRunConfig(sources: ConfigSources = {}, { readFile, checkpoint }: ConfigReaders = {}): Promise<ResolvedConfig> {
  const { cwd = process.cwd() } = sources;
  const issues: ConfigIssue[] = [];
  const file = sources.file === undefined ? undefined : await (readFile ?? readConfigFile)(sources.file, cwd);
  const { preset: inputPreset, ...input } = sources.input ?? {};
  const named = [
    { name: sources.preset, source: "--preset" },
    { name: inputPreset, source: "input" },
    { name: file?.preset?.name, source: file?.preset?.source ?? "" },
  ].find(({ name }) => name !== undefined);
  const preset = choosePreset(named, issues);
  const given: Layer[] = [
    { values: input, sourceOf: () => "input" },
    aliasLayer(sources.aliases ?? {}),
    assignmentLayer(sources.assignments ?? []),
    setLayer(sources.set ?? [], issues),
  ];
  const layers = [...(file ? [file.layer] : []), ...given.map(({ values, sourceOf }) => ({ values: resolvePaths(values, cwd), sourceOf }))];
  const merged = await mergeWithCheckpoint(preset, layers, issues, { readers: checkpoint, resumeState: sources.resumeState ?? false });
  const { values, unused } = inEngineSection(await withCountedVocabulary(merged.values, issues.length === 0 ? checkpoint?.countVocabulary : undefined));
  return resolved(parseRunConfig(values, merged.sources, issues), preset, withPresentPaths(merged.sources), unused);
}

function choosePreset(named: { name: unknown; source: string } | undefined, issues: ConfigIssue[]): PresetName {
  if (named === undefined) return defaultPreset;
  const { name, source } = named;
  if (typeof name === "string" && isPresetName(name)) return name;
  const near = typeof name === "string" ? nearestName(name, presetNames) : undefined;
  const meant = near === undefined ? "" : `did you mean "${near}"? `;
  issues.push({ path: "preset", message: `there is no preset ${JSON.stringify(name)}: ${meant}there are ${presetNames.join(", ")}`, source });
  return defaultPreset;
}

function defaultsLayer(): Layer {
  return { values: parseRunConfig({}), sourceOf: () => "default" };
}

function presetLayer(name: PresetName): Layer {
  return { values: { ...presets[name].input }, sourceOf: () => `preset ${name}` };
}

// The layers are merged twice: the first time finds the saved model, whose values the caller's then override.
async function mergeWithCheckpoint(
  preset: PresetName,
  layers: readonly Layer[],
  issues: ConfigIssue[],
  { readers, resumeState }: { readers: CheckpointReaders | undefined; resumeState: boolean },
): Promise<MergedLayers> {
  const base = [defaultsLayer(), presetLayer(preset)];
  const merged = mergeLayers([...base, ...layers], issues);
  const model = isPlainObject(merged.values["model"]) ? merged.values["model"] : {};
  const from = model["from"];
  if (typeof from !== "string" || from === "") {
    const problem = typeof model["type"] === "string" ? causalProblem(model["type"], model) : undefined;
    if (problem !== undefined) issues.push({ path: "model.type", message: `${model["type"]} ${problem}`, source: merged.sources.get("model.type") ?? "" });
    return isFamilyOf(preset, model["type"]) ? merged : mergeLayers([...base, causalLabels("default of model.type"), ...layers], []);
  }
  const source = merged.sources.get("model.from") ?? "";
  const { python } = merged.values;
  const saved = await checkpointLayer(from, {
    ...{ issues, source, readers, python: typeof python === "string" ? python : undefined },
    namesCode: model["code"] !== undefined,
  });
  if (!saved.isWhole && !layers.some(({ values }) => isPlainObject(values["model"]) && values["model"]["n_head"] !== undefined)) {
    issues.push({
      path: "model.n_head",
      message: `the number of heads does not follow from the weights in ${from}: set it, for example with --set model.n_head=2`,
      source,
    });
  }
  const settings = resumeState ? await settingsOf(from, issues, source) : [];
  const data = { label_shift: "causal", ...tokenizerFor(from, layers) };
  return mergeLayers([...base, saved, { values: { data }, sourceOf: saved.sourceOf }, ...settings, ...layers], []);
}

/** The tokenizer of a saved model, unless the caller trains one. */
function tokenizerFor(from: string, layers: readonly Layer[]): { tokenizer?: string } {
  if (layers.some(({ values: { data } }) => isPlainObject(data) && (data["train_tokenizer"] ?? null) !== null)) return {};
  const tokenizer = tokenizerOf(from);
  return tokenizer === undefined ? {} : { tokenizer };
}

/** The settings that a Trainer script saved beside its checkpoint; none if it saved none. */
async function settingsOf(checkpoint: string, issues: ConfigIssue[], source: string): Promise<Layer[]> {
  const { hasTrainingArgs, trainingArgsLayer } = await import("./training-args-layer.js"); // few configurations require it
  try {
    return hasTrainingArgs(checkpoint) ? [trainingArgsLayer(checkpoint)] : [];
  } catch (cause) {
    if (!(cause instanceof BhBridgeError)) throw cause;
    issues.push({ path: "model.from", message: cause.message, source });
    return [];
  }
}

/** Whether a model is of a family that is trained with a preset's labels: the preset's own, or the notebook's. */
function isFamilyOf(preset: PresetName, type: unknown): boolean {
  const { model }: RunConfigInput = presets[preset].input;
  return type === undefined || type === defaultFamily || type === model?.type;
}

/** Only the notebook's models were trained on labels that are shifted twice; a saved model, or one of another family, predicts the next token. */
function causalLabels(source: string): Layer {
  return { values: { data: { label_shift: "causal" } }, sourceOf: () => source };
}

/** Differences from a preset, with the source of each. */
export function changesFrom(preset: PresetName, config: RunConfig, sourceOf: (path: string) => string): Change[] {
  return diffRunConfigs(parseRunConfig(presets[preset].input), config).map((change) => ({ ...change, source: sourceOf(change.path) }));
}

function resolved(config: RunConfig, preset: PresetName, given: ReadonlyMap<string, string>, unused: Record<string, unknown>): ResolvedConfig {
  const sourceOf = (path: string) => given.get(path) ?? given.get(path.replace(/\.code\.\w+$/, ".code")) ?? "default"; // code is written as a path
  const sources = new Map([...configValues(config).keys()].map((path) => [path, sourceOf(path)]));
  const changes = changesFrom(preset, config, (path) => sources.get(path) ?? "default");
  return { config, preset, sources, changes, hash: configHash(config), unused };
}

/** A configuration in a TypeScript file, checked and completed by the editor: `export default defineRun({ … })`. */
export function defineRun(config: RunInput): RunInput {
  return config;
}
