import type { Checkpoint } from "../formats/checkpoint.js";
import { findHistoryTensor, historyTensorNames } from "../formats/history-tensor.js";
import { openCheckpoint } from "../formats/open-checkpoint.js";
import { openHistory } from "../formats/open-history.js";
import type { InspectDocument } from "./inspect-document.js";
import { nextSteps } from "./next-steps.js";

/** Everything that a file or directory says about itself, without reading its tensors. Errors as `openCheckpoint`. */
export async function inspect(path: string): Promise<InspectDocument> {
  await using checkpoint = await openCheckpoint(path);
  const { kind, tensors, metadata, trainerState, inertGlobals } = checkpoint;
  const history = await describeHistory(checkpoint);
  return {
    schema: "bh-bridge/inspect@1",
    path,
    kind,
    tensors: tensors.map(({ name, dtype, shape, bytes, file }) => ({ name, dtype, shape: [...shape], bytes, file })),
    metadata: { ...metadata },
    ...(history ? { history } : {}),
    ...(trainerState ? { trainerState } : {}),
    notExecuted: [...inertGlobals],
    next: nextSteps(checkpoint, history?.tokenIds === undefined),
  };
}

async function describeHistory({ path, tensors }: Checkpoint): Promise<InspectDocument["history"]> {
  const tensor = findHistoryTensor(tensors);
  if (!tensor || !historyTensorNames.includes(tensor.name)) return undefined;
  const history = await openHistory(path, tensor.name);
  const { states, tokens, dims, rowTokens } = history;
  history.close();
  const { ids } = rowTokens;
  return { tensor: tensor.name, states, planned: tensor.shape[0] ?? states, tokens, dims, ...(ids && { tokenIds: [...ids] }) };
}
