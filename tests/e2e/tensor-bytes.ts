import { openSafetensors } from "../../src/formats/safetensors/safetensors.js";
import { readMatrix } from "../../src/formats/stored-tensor.js";

/** The bytes of a tensor of a safetensors file, those of a history's recorded states. */
export function tensorBytes(path: string, name: string): Buffer {
  const file = openSafetensors(path);
  try {
    const tensor = file.tensors.find((one) => one.name === name);
    if (!tensor) throw new Error(`${path} has no ${name}`);
    return Buffer.from(readMatrix(tensor).bytes);
  } finally {
    file.close();
  }
}
