import { createHash } from "node:crypto";
import { z } from "zod";
import { diffRunConfigs } from "../../config/config-hash.js";
import { familyOf } from "../../config/models/families.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { readState } from "../../formats/history.js";
import { openHistory } from "../../runs/open-history.js";
import { lastEvent } from "../../runs/read-events.js";
import { readRunDocument } from "../../runs/read-run-json.js";
import { readRunConfig } from "../../runs/run-config.js";
import { runFiles } from "../../runs/run-layout.js";
import { arePortable, differingPinFields, type EnvironmentPin, readRunManifest } from "../../runs/run-manifest.js";
import { count, groupDigits } from "../../text/format.js";

const versionsSchema = z.object({ packages: z.record(z.string(), z.string().nullable()) });

/**
 * Versions of all packages installed for a run's two processes, by `Python package NAME` and `npm package NAME`.
 * @throws {BhBridgeError} as `readRunDocument`.
 */
export function recordedPackages(directory: string): Record<string, string> {
  return { ...versionsIn(directory, runFiles.pythonEnvironment, "Python package"), ...versionsIn(directory, runFiles.nodeEnvironment, "npm package") };
}

function versionsIn(directory: string, file: string, kind: string): Record<string, string> {
  const { packages } = readRunDocument(directory, file, versionsSchema) ?? { packages: {} };
  return Object.fromEntries(Object.entries(packages).flatMap(([name, version]) => (version === null ? [] : [[`${kind} ${name}`, version]])));
}

/** Name of the embedding in PyTorch where the initial tensors of the model are unknown. */
const embeddingOfGpt2 = "transformer.wte.weight";

/** Facts about a run that can differ unintentionally. */
export interface RunFacts {
  readonly config: RunConfig;
  readonly parameters: number;
  readonly corpus: { readonly sha256: string; readonly windows: number };
  /** SHA-256 of the window order in the first epoch; null if not recorded. */
  readonly windowOrder: string | null;
  readonly environment: EnvironmentPin;
  /** Version by package name. */
  readonly packages: Readonly<Record<string, string>>;
  /** SHA-256 of initial values, by the parameter's name in PyTorch. */
  readonly initialTensors: InitialTensors;
  /** Name of the embedding among them. */
  readonly embedding: string;
}

export type InitialTensors = Readonly<Record<string, string>>;

/**
 * The facts in a run's directory.
 * @param builtTensors initial tensors of a configuration; without it, the recorded rows of the embedding are the only ones.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `FORMAT_INVALID`.
 */
export async function readRunFacts(directory: string, builtTensors?: (config: RunConfig) => Promise<InitialTensors>): Promise<RunFacts> {
  const { parameters, corpus, environment, package_version } = readRunManifest(directory);
  const history = await openHistory(directory);
  try {
    const config = readRunConfig(directory);
    const recorded = createHash("sha256").update(readState(history, 0).bytes).digest("hex");
    const built = (await builtTensors?.(config)) ?? {};
    const embedding = Object.keys(built).find((name) => built[name] === recorded) ?? embeddingOfGpt2;
    return {
      config,
      parameters,
      corpus: { sha256: corpus.sha256, windows: corpus.windows },
      windowOrder: lastEvent(directory, "train_begin")?.window_order ?? null,
      environment,
      packages: { "bh-bridge": package_version, ...recordedPackages(directory) },
      initialTensors: { ...built, [embedding]: recorded },
      embedding,
    };
  } finally {
    history.close();
  }
}

/** A parameter of the model and its weight decay under AdamW. */
interface EffectiveParameter {
  /** Name in PyTorch. */
  readonly name: string;
  /** Number of elements. */
  readonly size: number;
  readonly weightDecay: number;
  /** Whether it is the weight or bias of a norm. */
  readonly isNorm: boolean;
}

/**
 * The parameters of a configuration's model with their effective weight decay; empty for an unsupported family.
 *
 * Hugging Face's Trainer exempts biases and the weights of nn.LayerNorm and decays all else, including RMSNorm weights, which it does not recognize.
 * `decay_norms` treats both norms alike, or decays every parameter.
 */
export function effectiveParameters({ model, training }: RunConfig): EffectiveParameter[] {
  const { decay_norms, weight_decay } = training;
  const decaysNorms = decay_norms === "always" || decay_norms === "all" || (decay_norms === "hf" && model.norm === "rmsnorm");
  const decays = { weight: true, bias: decay_norms === "all", "norm-weight": decaysNorms, "norm-bias": decay_norms === "all" } as const;
  return (familyOf(model)?.parameters?.(model) ?? []).map(({ name, size, kind }) => ({
    name,
    size,
    weightDecay: decays[kind] ? weight_decay : 0,
    isNorm: kind === "norm-weight" || kind === "norm-bias",
  }));
}

const statementShape = {
  what: z.string(),
  control: z.string(),
  treatment: z.string(),
  remove: z.string().nullable().describe("The option that removes it; null if there is none"),
};

/** A difference between an arm and the control other than the settings of the arm. */
export const confoundSchema = z.strictObject({
  arm: z.string(),
  ...statementShape,
  seeds: z.array(z.int()).readonly().describe("Seeds of the pairs with this difference"),
});
export type Confound = z.output<typeof confoundSchema>;
type Statement = Omit<Confound, "arm" | "seeds">;

const statement = (what: string, control: string, treatment: string, remove: string | null): Statement => ({ what, control, treatment, remove });

/** The facts of two runs with the same seed. */
export interface FactPair {
  readonly arm: string;
  readonly seed: number;
  readonly control: RunFacts;
  readonly treatment: RunFacts;
}

/** Differences in the pairs of an experiment other than the settings of the arms; one statement for all pairs it applies to. */
export function experimentConfounds(pairs: readonly FactPair[]): Confound[] {
  const found = new Map<string, Confound>();
  for (const { arm, seed, control, treatment } of pairs) {
    for (const difference of confounds(control, treatment)) {
      const key = JSON.stringify([arm, difference]);
      found.set(key, { arm, ...difference, seeds: [...(found.get(key)?.seeds ?? []), seed] });
    }
  }
  return [...found.values()];
}

/**
 * Differences between two runs other than their configured fields: effective weight decay, parameters, initial tensors, text windows and their order, random
 * streams, environment and package versions.
 */
export function confounds(control: RunFacts, treatment: RunFacts): Statement[] {
  const named = new Set(diffRunConfigs(control.config, treatment.config).map(({ path }) => path));
  return [
    ...decayConfounds(control, treatment, named),
    ...parameterConfounds(control, treatment),
    ...initialConfounds(control, treatment, named),
    ...textConfounds(control, treatment, named),
    ...streamConfounds(control, treatment),
    ...environmentConfounds(control, treatment, named),
  ];
}

type Named = ReadonlySet<string>;

function decayConfounds(control: RunFacts, treatment: RunFacts, named: Named): Statement[] {
  if (named.has("training.weight_decay") || named.has("training.decay_norms")) return [];
  const before = new Map(effectiveParameters(control.config).map((parameter) => [parameter.name, parameter.weightDecay]));
  const changed = effectiveParameters(treatment.config).filter(({ name, weightDecay }) => before.has(name) && before.get(name) !== weightDecay);
  const [first] = changed;
  if (first === undefined) return [];
  const what = `weight decay of the norms' weights (${described(changed)})`;
  return [statement(what, String(before.get(first.name)), String(first.weightDecay), "training.decay_norms=never or training.decay_norms=always")];
}

function described(parameters: readonly EffectiveParameter[]): string {
  const size = parameters.reduce((sum, parameter) => sum + parameter.size, 0);
  return `${count(parameters.length, "tensor")}, ${count(size, "number")}`;
}

function parameterConfounds(control: RunFacts, treatment: RunFacts): Statement[] {
  if (control.parameters === treatment.parameters) return [];
  const [before, after] = [control, treatment].map(({ config }) => effectiveParameters(config));
  const only = (ours: readonly EffectiveParameter[] = [], others: readonly EffectiveParameter[] = []) => {
    const names = new Set(others.map(({ name }) => name));
    return ours.filter(({ name }) => !names.has(name));
  };
  const extra = [...only(before, after), ...only(after, before)];
  const areBiases = extra.length > 0 && extra.every(({ name, isNorm }) => isNorm && name.endsWith(".bias"));
  const what = areBiases ? `number of parameters: LayerNorm has biases, RMSNorm has none (${described(extra)})` : "number of parameters";
  return [statement(what, groupDigits(control.parameters), groupDigits(treatment.parameters), null)];
}

/** Fields that determine the initial embedding. */
const setsEmbedding = (path: string) => path.startsWith("init.") || path === "model.from" || path === "model.dtype";

function initialConfounds(control: RunFacts, treatment: RunFacts, named: Named): Statement[] {
  return Object.entries(control.initialTensors).flatMap(([name, before]) => {
    const after = treatment.initialTensors[name];
    if (after === undefined || after === before || (name === control.embedding && [...named].some(setsEmbedding))) return [];
    const remove = name === control.embedding ? "init.kind=file with one start for both arms" : "model.from with one saved model for both arms";
    return [statement(`values of ${name} before the first step`, shownHash(before), shownHash(after), remove)];
  });
}

/** Fields that determine the order of the windows. */
const setsOrder = (path: string) => path.startsWith("training.train_sampling_strategy") || path.startsWith("training.data_seed") || path === "seeds.data";

function textConfounds(control: RunFacts, treatment: RunFacts, named: Named): Statement[] {
  const [before, after] = [control.corpus, treatment.corpus];
  const remove = "data.corpus with one file for both arms";
  if (before.sha256 !== after.sha256) return [statement("text that is trained on", shownHash(before.sha256), shownHash(after.sha256), remove)];
  if (before.windows !== after.windows) {
    return [statement("windows of text, and so their order", groupDigits(before.windows), groupDigits(after.windows), null)];
  }
  const [order, other] = [control.windowOrder, treatment.windowOrder];
  if (order === null || other === null || order === other || [...named].some(setsOrder)) return [];
  return [statement("order of the windows of text", shownHash(order), shownHash(other), "seeds.data, the same for both arms")];
}

function dropouts(model: RunFacts["config"]["model"]): number[] {
  return Object.entries(model).flatMap(([name, value]) => (/pdrop$|dropout$/.test(name) && typeof value === "number" ? [value] : []));
}

/** Noise and dropout draw from the same random stream; the window order has its own. */
function streamConfounds(control: RunFacts, treatment: RunFacts): Statement[] {
  const [before, after] = [control, treatment].map(({ config }) => config.noise.epsilon > 0);
  const probabilities = [control, treatment].flatMap(({ config: { model } }) => dropouts(model));
  if (before === after || probabilities.every((probability) => probability === 0)) return [];
  const shown = (draws: boolean | undefined) => (draws ? "drawn after noise" : "drawn without noise");
  const what = "dropout after the first step: noise takes numbers from the same random stream";
  return [statement(what, shown(before), shown(after), "model.resid_pdrop=0, model.embd_pdrop=0 and model.attn_pdrop=0")];
}

const removalOf: Partial<Record<keyof EnvironmentPin, string>> = {
  device: "device, the same for both arms",
  threads: "threads, the same for both arms",
  recipe: "one version of bh-bridge for both arms",
};
const oneEnvironment = "python: one environment for both arms";
const versions: readonly (keyof EnvironmentPin)[] = ["python", "torch", "transformers", "accelerate", "safetensors", "numpy"];

function environmentConfounds(control: RunFacts, treatment: RunFacts, named: Named): Statement[] {
  const pins = differingPinFields(control.environment, treatment.environment)
    .filter(({ field }) => !named.has(field))
    .map(({ field, label, before, now }) => {
      const remove = removalOf[field] ?? (versions.includes(field) ? oneEnvironment : "train both arms on one machine");
      return { what: label, control: before, treatment: now, remove };
    });
  return arePortable(control.environment, treatment.environment) ? pins : [...pins, ...packageConfounds(control, treatment)];
}

/** Packages with different versions, except those in the environment pin. */
function packageConfounds(control: RunFacts, treatment: RunFacts): Statement[] {
  const names = [...new Set([...Object.keys(control.packages), ...Object.keys(treatment.packages)])].sort();
  const pinned = new Set(versions.map((name) => `Python package ${name}`));
  return names.flatMap((name) => {
    const [before = "not there", after = "not there"] = [control.packages[name], treatment.packages[name]];
    if (before === after || pinned.has(name)) return [];
    return [statement(name, before, after, name.startsWith("Python") ? oneEnvironment : "one installation of bh-bridge for both arms")];
  });
}

function shownHash(hash: string): string {
  return hash.slice(0, 12);
}
