import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { BhBridgeError, type ConfigIssue } from "../errors.js";
import { savedFamily } from "../formats/hf/hf-directory.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layers.js";
import { familyOf, familyWithoutName, modelSchema } from "./models/families.js";
import { dtypeSchema, ownModelFields } from "./models/family.js";
import { encoderSwitches, untrainableTypes } from "./models/model-configs.generated.js";
import { pythonModelSchema } from "./models/python-model.js";
import { resolvePaths } from "./paths-in-config.js";
import { productOwnedGpt2Config } from "./training-schema.js";

const configFile = "config.json";
/** Fields of config.json that are not part of the architecture. */
const notArchitecture: readonly string[] = [...Object.keys(productOwnedGpt2Config), "model_type", "auto_map", "torch_dtype"];
/** Of these, transformers gives the row of `pad_token_id` no gradient, and saves all of them. */
const specialTokens: readonly string[] = ["bos_token_id", "eos_token_id", "pad_token_id"];

/** What only higher layers can read of a saved model. */
export interface CheckpointReaders {
  /** Derives the section `model` from a file of weights. */
  describeWeights(path: string): Promise<object>;
  /**
   * The fields of a saved model as transformers reads them. @param fields names to report; null for those that transformers saves. @param python as in a configuration.
   */
  readSaved(directory: string, family: { type: string; fields: readonly string[] | null }, python: string | undefined): Promise<SavedFields>;
  /** Rows of the embedding of a model of the user's own, whose code is executed. @param model its section. @param python as in a configuration. */
  countVocabulary(model: Record<string, unknown>, python: unknown): Promise<number>;
  /** Whether a directory is the final model or a checkpoint of a run. */
  isOfRun(directory: string): boolean;
}

interface SavedFields {
  readonly fields: Record<string, unknown>;
  readonly dtype?: string | null | undefined;
}

/** A saved model as a layer, and whether it describes the model completely. */
interface CheckpointLayer extends Layer {
  isWhole: boolean;
}

interface CheckpointContext {
  issues: ConfigIssue[];
  /** Source of `model.from`. */
  source: string;
  /** Interpreter of the configuration. */
  python: string | undefined;
  /** Whether somebody has set `model.code`. */
  namesCode: boolean;
  /** Absent if the model is described already, by a built model. */
  readers: CheckpointReaders | undefined;
}

/**
 * The architecture of a saved model, as a layer: what its `config.json` says, or else its weights; its own dtype and norm; the embedding as it was saved.
 * @param path HF model directory or a file of weights, absolute.
 */
export async function checkpointLayer(path: string, context: CheckpointContext): Promise<CheckpointLayer> {
  const { issues, source, readers } = context;
  const sourceOf = (): string => `checkpoint ${path}`;
  const found = existsSync(path) ? statSync(path) : undefined; // a path without permission is reported when it is read
  const saysItself = !found || existsSync(join(path, configFile));
  try {
    if (readers && existsSync(join(path, adapterFile))) throw unsupported(path, adapterProblem);
    if (saysItself || (!readers && found.isDirectory())) return { values: await configValues(path, context), sourceOf, isWhole: true };
    if (readers) return { values: { model: { ...(await readers.describeWeights(path)) }, init: { kind: "normal" } }, sourceOf, isWhole: false };
  } catch (cause) {
    if (!(cause instanceof BhBridgeError) || /^PYTHON_|^ABORTED$/.test(cause.code)) throw cause;
    issues.push({ path: "model.from", message: cause.message, source });
  }
  return { values: {}, sourceOf, isWhole: true };
}

/** The values of a saved model in HF layout. @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for what is not a causal model that can be trained. */
async function configValues(directory: string, { python, readers, namesCode }: CheckpointContext): Promise<Layer["values"]> {
  const saved = await readConfig(directory);
  if (saved["model_type"] === "python" && (namesCode || !readers || readers.isOfRun(directory))) return ownModelValues(directory, saved);
  if (isPlainObject(saved["quantization_config"])) throw unsupported(directory, quantizedProblem(saved["quantization_config"]));
  const own = savedFamily(saved);
  const type = own.type ?? familyWithoutName(saved) ?? "unknown";
  if (type === "python")
    throw unsupported(directory, "holds a model of somebody's own code, which is executed only if you name it: read it, then set model.code to its path");
  const section = sectionOf(type);
  if (section === undefined || typeof type !== "string") {
    throw unsupported(directory, `holds a model of type ${JSON.stringify(type)}, which has no causal head in transformers`);
  }
  const problem = causalProblem(type, saved);
  if (problem !== undefined) throw unsupported(directory, `holds a ${className(saved) ?? "model"} (${type}), which ${problem}`);
  const norm = own.norm ?? familyOf({ type })?.ownNorm ?? "native";
  const names = fieldsOf(section);
  const isComplete = familyOf({ type })?.completeWith?.every((name) => saved[name] !== undefined);
  if (!isComplete && !readers) return {};
  const read =
    isComplete || !readers
      ? { fields: saved, dtype: saved["dtype"] ?? saved["torch_dtype"] }
      : await readers.readSaved(directory, { type, fields: names }, python);
  return { model: { type, ...architectureOf(read.fields, names), dtype: trainedDtype(read.dtype), norm }, init: { kind: "normal" } };
}

/** The values of a model of the user's own code, which is next to its weights. */
function ownModelValues(directory: string, saved: Record<string, unknown>): Layer["values"] {
  const model = { type: "python", ...architectureOf(saved, fieldsOf(pythonModelSchema)), dtype: trainedDtype(saved["dtype"]) };
  return resolvePaths({ model, init: { kind: "normal" } }, directory);
}

/** Why a family cannot be trained on text; undefined if it can. @param model fields of its configuration, which switch an encoder's causal mask on. */
export function causalProblem(type: string, model: Readonly<Record<string, unknown>>): string | undefined {
  const listed = Object.hasOwn(untrainableTypes, type) ? untrainableTypes[type] : undefined;
  if (listed !== undefined) return `cannot be trained on text: ${listed}`;
  const field = Object.hasOwn(encoderSwitches, type) ? encoderSwitches[type] : undefined;
  if (field === undefined || model[field] === true) return undefined;
  return `is an encoder without a causal mask, so that every position sees the token that it has to predict. Training needs a model with ${field} = true`;
}

/** The name of a saved model's class. */
function className({ architectures }: Readonly<Record<string, unknown>>): string | undefined {
  return Array.isArray(architectures) && typeof architectures[0] === "string" ? architectures[0] : undefined;
}

/** transformers would follow this file to another model, wherever that is. */
const adapterFile = "adapter_config.json";
const adapterProblem = `holds an adapter of another model (${adapterFile}). Merge both in Python, with PeftModel.from_pretrained(BASE, ADAPTER).merge_and_unload(), and save the result with save_pretrained`;

function quantizedProblem({ quant_method: method, load_in_4bit: fourBits }: Readonly<Record<string, unknown>>): string {
  const name = typeof method === "string" ? method : fourBits === true ? "4-bit" : "8-bit";
  return `holds quantized weights (${name}), which cannot be trained. Use the model that was quantized, or save a copy in Python with dequantize() and save_pretrained`;
}

function unsupported(directory: string, reason: string): BhBridgeError {
  return new BhBridgeError("FORMAT_UNSUPPORTED", `${directory} ${reason}`);
}

async function readConfig(directory: string): Promise<Record<string, unknown>> {
  try {
    const saved: unknown = JSON.parse(await readFile(join(directory, configFile), "utf8"));
    return isPlainObject(saved) ? saved : {};
  } catch (cause) {
    throw unsupported(directory, `is not a saved model: ${reasonAgainst(directory, cause)}`);
  }
}

/** Why a directory gives no configuration of a model, and what to give instead. */
function reasonAgainst(directory: string, cause: unknown): string {
  if (cause instanceof SyntaxError) return `its config.json is not JSON: ${cause.message}`;
  const { code, message } = cause as NodeJS.ErrnoException;
  const remedy = "Give the folder of a saved model, the name or folder of a run, or a file of weights";
  if (code === "EACCES") return "it may not be read";
  if (code !== "ENOENT" && code !== "ENOTDIR") return `its config.json cannot be read (${message})`;
  return existsSync(directory) ? `it has no config.json. ${remedy}` : `there is no such folder or file. ${remedy}`;
}

type ModelSection = (typeof modelSchema.options)[number];

/** The schema of a family's section; undefined for what is none. */
function sectionOf(type: unknown): ModelSection | undefined {
  return modelSchema.options.find(({ shape }) => shape.type.safeParse(type).success && type !== undefined);
}

/** The fields of the architecture in a section; null for a family whose fields only Python knows. */
function fieldsOf({ shape, def }: ModelSection): string[] | null {
  const isOpen = def.catchall?._zod.def.type !== "never";
  return isOpen ? null : Object.keys(shape).filter((name) => !(ownModelFields as readonly string[]).includes(name));
}

function architectureOf(saved: Record<string, unknown>, names: readonly string[] | null): Record<string, unknown> {
  const isField = (name: string, value: unknown): boolean => {
    if (specialTokens.includes(name)) return value !== null && (names === null || names.includes(name));
    return names === null ? ![...notArchitecture, ...ownModelFields].includes(name) : names.includes(name);
  };
  return Object.fromEntries(Object.entries(saved).filter(([name, value]) => isField(name, value)));
}

/** The dtype to train in. Transformers takes a model that does not say for float32, which also holds every number of a float16. */
function trainedDtype(saved: unknown): z.output<typeof dtypeSchema> {
  const dtype = dtypeSchema.safeParse(saved);
  return dtype.success ? dtype.data : "float32";
}
