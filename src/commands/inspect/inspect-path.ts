import type { Checkpoint } from "../../formats/checkpoint.js";
import { findHistoryTensor, historyTensorNames } from "../../formats/history-tensor.js";
import { openCheckpoint } from "../../formats/open-checkpoint.js";
import { openHistory } from "../../formats/open-history.js";
import { stepOfState } from "../../formats/state-of-step.js";
import { isReadable } from "../../formats/stored-tensor.js";
import type { InspectDocument } from "./inspect-document.js";
import { nextSteps, type RecordedHistory } from "./next-steps.js";

/** Everything that a file or directory says about itself, without reading its tensors. Errors as `openCheckpoint`. */
export async function inspect(path: string): Promise<InspectDocument> {
  await using checkpoint = await openCheckpoint(path);
  const { kind, tensors, metadata, trainerState, inertGlobals } = checkpoint;
  const history = await recordedHistory(checkpoint);
  return {
    schema: "bh-bridge/inspect@1",
    path,
    kind,
    tensors: tensors.map(({ name, dtype, shape, bytes, file, unreadable }) => ({
      ...{ name, dtype, shape: [...shape], bytes, file },
      ...(unreadable && { unreadable }),
    })),
    metadata: { ...metadata },
    ...(history ? { history: history.document } : {}),
    ...(trainerState ? { trainerState } : {}),
    notExecuted: [...inertGlobals],
    next: await nextSteps(checkpoint, history),
  };
}

interface InspectedHistory extends RecordedHistory {
  document: NonNullable<InspectDocument["history"]>;
}

async function recordedHistory({ path, tensors }: Checkpoint): Promise<InspectedHistory | undefined> {
  const tensor = findHistoryTensor(tensors);
  if (!tensor || !historyTensorNames.includes(tensor.name) || !isReadable(tensor)) return undefined;
  const history = await openHistory(path, tensor.name);
  const { states, tokens, dims, rowTokens } = history;
  history.close();
  const { ids } = rowTokens;
  const document = { tensor: tensor.name, states, planned: tensor.shape[0] ?? states, tokens, dims, ...(ids && { tokenIds: [...ids] }) };
  return { states, firstStep: stepOfState(history, 0), isWhole: ids === undefined, document };
}
