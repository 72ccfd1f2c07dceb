import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { z } from "zod";
import { gpt2ArchitectureOf } from "../../bridge/model-directory.js";
import { causalProblem } from "../../config/checkpoint-layer.js";
import { isPlainObject } from "../../config/json-value.js";
import { defaultFamily, type FamilyName, families } from "../../config/models/families.js";
import { otherModelTypes } from "../../config/models/model-configs.generated.js";
import { modelSize } from "../../config/run-config-fields.js";
import { outstandingEmbedding } from "../../formats/find-tensor.js";
import { savedFamily } from "../../formats/hf/hf-directory.js";
import { findHistoryTensor, stepOfState } from "../../formats/history.js";
import { isReadable, type TensorInfo } from "../../formats/stored-tensor.js";
import { type Inspection, inspectionSchema } from "../../runner/inspect.js";
import { openHistory } from "../../runs/open-history.js";
import { finalFolder, runFiles } from "../../runs/run-layout.js";
import { shellQuote } from "../../text/escaping.js";

/** The document of `inspect --json`. */
export const inspectDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/inspect@1"),
  ...inspectionSchema.shape,
  next: z.array(z.strictObject({ does: z.string(), command: z.string() })),
});
export type InspectDocument = z.output<typeof inspectDocumentSchema>;

type NextSteps = InspectDocument["next"];

/** Metadata of a saved model that has a causal head in transformers, or is one of ours. */
const savedSchema = z.looseObject({
  config: z.looseObject({ model_type: z.enum([...(Object.keys(families) as FamilyName[]), ...otherModelTypes]), vocab_size: z.int() }),
});
/** Window length of the notebook: present models allow far longer windows than a small corpus has. */
const defaultWindow = 128;

const gpt2Schema = z.looseObject({ config: z.looseObject({ model_type: z.literal(defaultFamily), n_embd: z.int() }) });
/** The built-in corpus is ASCII and needs this vocabulary. */
const smallestVocabulary = 128;

/** Suggested commands for a file, most useful first. Every command works unchanged in the current folder. */
export async function nextSteps(inspection: Inspection): Promise<NextSteps> {
  const { tensors } = inspection;
  const history = inspection.history?.states === 0 ? undefined : usable(findHistoryTensor(tensors));
  const embedding = usable(outstandingEmbedding(tensors, inspection.metadata));
  const steps: NextSteps = [];
  const matrix = tensors.find((tensor) => tensor.shape.length === 2 && usable(tensor));
  const path = argument(inspection.path);
  if (embedding) steps.push({ does: "count its black holes", command: `bh-bridge census ${path}` });
  else if (matrix) steps.push({ does: "count the black holes of a matrix", command: `bh-bridge census ${argument(inspection.path, matrix.name)}` });
  if (embedding && inspection.kind === "hf-checkpoint") steps.push({ does: "find its tokens that never trained", command: `bh-bridge tokens ${path}` });
  if (history) steps.push({ does: "analyse its history", command: `bh-bridge analyze ${path}` });
  steps.push(...(await trainingSteps(inspection)));
  if (existsSync(join(inspection.path, runFiles.manifest)) && tensors.some((tensor) => tensor.file.startsWith(`${finalFolder}/`))) {
    steps.push({ does: "export the model for Python", command: `bh-bridge export ${path} --to hf --out ${freeName("model")}` });
  }
  if (history) steps.push({ does: "export the history for Python", command: `bh-bridge export ${path} --to npy --out ${freeName("history.npy")}` });
  else if (embedding) steps.push({ does: "export it for a spreadsheet", command: `bh-bridge export ${path} --to csv --out ${freeName("matrix.csv")}` });
  return steps;
}

async function trainingSteps({ path, kind, tensors, metadata: described, trainerState, history }: Inspection): Promise<NextSteps> {
  const metadata = withFamily(described);
  if (kind === "run") {
    const [, vocabulary = 0] = findHistoryTensor(tensors)?.shape ?? [];
    if (!history || history.states === 0 || history.tokenIds || vocabulary < smallestVocabulary) return [];
    const step = await firstStep(path, history.tensor);
    return [{ does: "train from the embedding of a recorded step", command: `bh-bridge train --from ${argument(path, String(step))}` }];
  }
  const saved = savedSchema.safeParse(metadata);
  if (kind === "hf-checkpoint" && saved.success && saved.data.config.model_type !== defaultFamily) {
    return stepsOfSaved(path, saved.data.config, trainerState);
  }
  const weights = await gpt2ArchitectureOf(path).catch(() => undefined); // most files hold something else
  if (!weights || weights.vocab_size < smallestVocabulary) return [];
  const word = argument(path);
  if (kind !== "hf-checkpoint") {
    const heads = weights.n_embd % 2 === 0 ? 2 : 1;
    return [{ does: "train from its weights, with the number of heads that they have", command: `bh-bridge train --from ${word} --set model.n_head=${heads}` }];
  }
  if (!gpt2Schema.safeParse(metadata).success) return [];
  return [{ does: "train on from it", command: `bh-bridge train --from ${word}` }, ...resumingSteps(path, trainerState)];
}

function resumingSteps(path: string, state: Inspection["trainerState"], options = ""): NextSteps {
  if (!state || !existsSync(join(path, "optimizer.pt"))) return [];
  const more = state.global_step >= state.max_steps ? ` --steps ${state.global_step + 100}` : "";
  const command = `bh-bridge train --from ${argument(path)} --resume-state${options}${more}`;
  return [{ does: "resume its training, including the optimizer", command }];
}

function stepsOfSaved(path: string, config: z.output<typeof savedSchema>["config"], state: Inspection["trainerState"]): NextSteps {
  const { model_type: type, vocab_size, quantization_config: quantization } = config;
  if (vocab_size < smallestVocabulary || isPlainObject(quantization) || causalProblem(type, config) !== undefined) return [];
  const positions = modelSize(config, "positions") ?? Number.POSITIVE_INFINITY;
  const window = positions > defaultWindow ? ` --set data.window_length=${defaultWindow}` : "";
  return [{ does: "train on from it", command: `bh-bridge train --from ${argument(path)}${window}` }, ...resumingSteps(path, state, window)];
}

function withFamily(metadata: Inspection["metadata"]): Inspection["metadata"] {
  const { config } = metadata;
  const type = isPlainObject(config) ? savedFamily(config).type : undefined;
  return isPlainObject(config) && typeof type === "string" ? { ...metadata, config: { ...config, model_type: type } } : metadata;
}

async function firstStep(path: string, tensor: string): Promise<number> {
  const history = await openHistory(path, tensor);
  try {
    return stepOfState(history, 0);
  } finally {
    history.close();
  }
}

/** The tensor if its values can be read. */
function usable<Tensor extends TensorInfo>(tensor: Tensor | undefined): Tensor | undefined {
  return tensor && isReadable(tensor) && tensor.bytes > 0 ? tensor : undefined;
}

/** A path as an argument; one that starts with a dash gets its folder in front. */
function argument(path: string, inside?: string): string {
  return shellQuote(`${path.startsWith("-") ? "./" : ""}${path}${inside === undefined ? "" : `::${inside}`}`);
}

/** The name, or the first numbered one that does not exist. */
function freeName(name: string): string {
  const extension = extname(name);
  const numbered = (number: number): string => (number === 1 ? name : `${name.slice(0, name.length - extension.length)}-${number}${extension}`);
  let number = 1;
  while (existsSync(numbered(number))) number++;
  return numbered(number);
}
