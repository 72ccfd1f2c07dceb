import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { BhBridgeError } from "../errors.js";
import { durableCreate, syncPath } from "../formats/durable-write.js";
import { readRunConfig } from "../runs/run-config.js";
import { finalFolder, modelManifestFile } from "../runs/run-layout.js";
import { readRunManifest } from "../runs/run-manifest.js";
import { shellQuote } from "../text/shell-quote.js";
import type { Exported } from "./exported.js";
import { modelCard } from "./model-card.js";
import { summarizeRun } from "./summarize-run.js";
import { useOwnType } from "./use-own-type.js";

/** What an exported model will be called on the hub, by the name of its directory. */
export function repositoryOf(out: string): string {
  return `YOUR-NAME/${basename(resolve(out))}`;
}

/**
 * Copy a run's final model into a new directory and describe it in a model card, ready to be uploaded. Nothing is sent.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`; `USAGE` for a run without a final model; `FILE_UNWRITABLE`, `DISK_FULL`.
 */
export async function exportModel(run: string, out: string): Promise<Exported> {
  const manifest = readRunManifest(run);
  const source = join(run, finalFolder);
  if (!existsSync(source)) {
    throw new BhBridgeError("USAGE", `${run} has no final model yet: the run is ${manifest.status}. Go on with it: bh-bridge resume ${shellQuote(run)}`);
  }
  const config = readRunConfig(run);
  const result = await summarizeRun(run, config, manifest);
  const card = modelCard({ manifest, config, result, repository: repositoryOf(out), remoteCode: readdirSync(source).some((name) => name.endsWith(".py")) });
  durableCreate(out, (temporaryPath) => {
    mkdirSync(temporaryPath);
    cpSync(source, temporaryPath, { recursive: true, filter: (path) => basename(path) !== modelManifestFile }); // whose checksums mean nothing once the model card is beside it
    useOwnType(temporaryPath);
    writeFileSync(join(temporaryPath, "README.md"), card);
    const shared = statSync(temporaryPath).mode & 0o666; // older runs have weights that only their owner can read
    for (const entry of readdirSync(temporaryPath, { withFileTypes: true })) {
      const path = join(temporaryPath, entry.name);
      if (entry.isFile()) chmodSync(path, shared);
      syncPath(path);
    }
  });
  const bytes = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
  return { source: run, to: "hf", out, bytes };
}
