import { readdirSync } from "node:fs";
import { join } from "node:path";
import { topFiles } from "./run-files.js";

/** A recorded history, its index, and what `export` makes of it when it is told to write into the run. */
const historyFile = /^history(?:\..+)?\.(?:safetensors|idx|npy|csv|h5|hdf5)$/;
/** What a process that died was writing. */
const unfinished = /^\..+\.(?:partial|old)$|\.partial$/;
const checkpointFolder = /^step-\d+$/;
const modelFile =
  /^(?:config\.json|generation_config\.json|model(?:-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|modeling_gpt2_rmsnorm\.py|MANIFEST\.json)$/;
const stateFile = /^(?:optimizer\.(?:safetensors|json)|random_state\.(?:safetensors|json)|scheduler\.json|trainer_state\.json|progress\.json)$/;
/** What macOS leaves in every folder that was looked at. */
const finderFile = ".DS_Store";

type IsOwn = (name: string) => boolean;

const isRunFile: IsOwn = (name) => topFiles.includes(name) || historyFile.test(name) || unfinished.test(name);
const isModelFile: IsOwn = (name) => modelFile.test(name);
const isCheckpointFile: IsOwn = (name) => modelFile.test(name) || stateFile.test(name);

/** The first entry of a run directory that is not a part of a run, by its path in it; undefined when all of them are. */
export function foreignEntry(directory: string): string | undefined {
  for (const { name, isFolder } of entries(directory)) {
    const inside = isFolder && !unfinished.test(name) ? foreignInFolder(directory, name) : isRunFile(name) ? undefined : "";
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

/** As `foreignEntry`, for a folder in the run; an empty path is the folder itself. */
function foreignInFolder(run: string, folder: string): string | undefined {
  if (folder === "final") return foreignFile(join(run, folder), isModelFile);
  if (folder !== "checkpoints") return "";
  for (const { name, isFolder } of entries(join(run, folder))) {
    if (unfinished.test(name)) continue;
    if (!isFolder || !checkpointFolder.test(name)) return name;
    const inside = foreignFile(join(run, folder, name), isCheckpointFile);
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

function foreignFile(directory: string, isOwn: IsOwn): string | undefined {
  return entries(directory).find(({ name, isFolder }) => isFolder || !isOwn(name))?.name;
}

function entries(directory: string): { name: string; isFolder: boolean }[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== finderFile)
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
}
