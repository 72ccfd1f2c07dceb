import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BhBridgeError, type ConfigIssue } from "../errors.js";
import { savedFamily } from "../formats/hf/hf-directory.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layers.js";
import { familyOf, familyWithoutName, modelSchema } from "./models/families.js";
import { dtypeSchema, ownModelFields } from "./models/family.js";
import { productOwnedGpt2Config } from "./training-schema.js";

/** Fields of config.json that are not part of the architecture. */
const notArchitecture: readonly string[] = [...Object.keys(productOwnedGpt2Config), "model_type", "auto_map", "torch_dtype"];

/** Derives the section `model` from a file of weights, which only higher layers can read. */
export type DescribeWeights = (path: string) => Promise<object>;

/** A saved model as a layer, and whether it describes the model completely. */
interface CheckpointLayer extends Layer {
  isWhole: boolean;
}

/**
 * The architecture of a saved model, as a layer: what its `config.json` says, or else its weights; its own dtype and norm; the embedding as it was saved.
 * @param path HF model directory or a file of weights, absolute.
 */
export async function checkpointLayer(path: string, issues: ConfigIssue[], source: string, describe?: DescribeWeights): Promise<CheckpointLayer> {
  const sourceOf = (): string => `checkpoint ${path}`;
  const found = existsSync(path) ? statSync(path) : undefined; // a path without permission is reported when it is read
  const saysItself = !found || existsSync(join(path, "config.json"));
  if (saysItself || (!describe && found.isDirectory())) return { ...(await configLayer(path, issues, source)), sourceOf, isWhole: true };
  if (!describe) return { values: {}, sourceOf, isWhole: true }; // already described, by a built model or a run
  try {
    return { values: { model: { ...(await describe(path)) }, init: { kind: "normal" } }, sourceOf, isWhole: false };
  } catch (cause) {
    if (!(cause instanceof BhBridgeError)) throw cause;
    issues.push({ path: "model.from", message: cause.message, source });
    return { values: {}, sourceOf, isWhole: true };
  }
}

async function configLayer(directory: string, issues: ConfigIssue[], source: string): Promise<Pick<Layer, "values">> {
  const nothing = { values: {} };
  let saved: unknown;
  try {
    saved = JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
  } catch (cause) {
    issues.push({ path: "model.from", message: `${directory} is not a saved model: ${reasonAgainst(directory, cause)}`, source });
    return nothing;
  }
  const own = isPlainObject(saved) ? savedFamily(saved) : undefined;
  const type = own?.type ?? (isPlainObject(saved) ? familyWithoutName(saved) : undefined) ?? "unknown";
  const section = sectionOf(type);
  if (!isPlainObject(saved) || section === undefined || typeof type !== "string") {
    issues.push({
      path: "model.from",
      message: `${directory} holds a model of type ${JSON.stringify(type)}, which has no causal head in transformers`,
      source,
    });
    return nothing;
  }
  const norm = own?.norm ?? familyOf({ type })?.ownNorm ?? "native";
  return { values: { model: { type, ...savedModel(saved, section), norm }, init: { kind: "normal" } } };
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

function savedModel(saved: Record<string, unknown>, { shape, def }: ModelSection): Record<string, unknown> {
  const isOpen = def.catchall?._zod.def.type !== "never"; // of a family whose fields are known to Python alone
  const isField = (name: string) =>
    (isOpen ? !notArchitecture.includes(name) : Object.hasOwn(shape, name)) && !(ownModelFields as readonly string[]).includes(name);
  const architecture = Object.entries(saved).filter(([name]) => isField(name));
  const dtype = dtypeSchema.safeParse(saved["dtype"] ?? saved["torch_dtype"]);
  // Transformers takes a model that does not say for float32, which also holds every number of a float16.
  return { ...Object.fromEntries(architecture), dtype: dtype.success ? dtype.data : "float32" };
}
