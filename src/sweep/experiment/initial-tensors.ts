import { createHash } from "node:crypto";
import type { Bridge } from "../../bridge/bridge.js";
import type { RunConfig } from "../../config/run-config-schema.js";

/**
 * SHA-256 of every tensor that a run of this configuration begins with, by its name in PyTorch. The model is built once more: on the CPU, where one seed
 * draws the same numbers each time.
 *
 * @throws {BhBridgeError} what building a model throws.
 */
export async function initialTensors(bridge: Bridge, config: RunConfig): Promise<Record<string, string>> {
  await using model = await bridge.buildModel(config);
  const hashes: Record<string, string> = {};
  for (const { name } of model.parameters) {
    const { bytes } = await model.tensor(name);
    hashes[name] = createHash("sha256").update(bytes).digest("hex");
  }
  return hashes;
}
