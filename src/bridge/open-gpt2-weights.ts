import { type Gpt2Architecture, type Gpt2Weights, gpt2Weights } from "../formats/hf/gpt2-weights.js";
import { openTensors } from "../runs/open-tensors.js";

/** The weights of a GPT-2 in a file or directory that is open. */
interface OpenGpt2Weights extends Gpt2Weights {
  close(): void;
}

/** Open the weights of a GPT-2 in any file or directory of tensors. @throws {BhBridgeError} as `gpt2Weights`; what `openCheckpoint` throws. */
export async function openGpt2Weights(path: string): Promise<OpenGpt2Weights> {
  const opened = await openTensors(path);
  try {
    return { ...gpt2Weights(opened.tensors, path), close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** What the weights in a file tell of their model. Errors as `openGpt2Weights`. */
export async function gpt2ArchitectureOf(path: string): Promise<Gpt2Architecture> {
  const { architecture, close } = await openGpt2Weights(path);
  close();
  return architecture;
}
