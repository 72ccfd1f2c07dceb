import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Make a folder with a model of one file and its manifest, as a checkpoint and the final model have it. */
export function writeModel(folder: string): void {
  const weights = "weights";
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.safetensors"), weights);
  const sha256 = createHash("sha256").update(weights).digest("hex");
  writeFileSync(join(folder, "MANIFEST.json"), JSON.stringify({ format: 1, files: { "model.safetensors": { size: weights.length, sha256 } } }));
}
