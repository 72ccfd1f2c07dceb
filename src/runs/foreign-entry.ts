import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkpointsFolder, finalFolder, isRunFile, stepOfCheckpoint } from "./run-layout.js";

/** What `export` makes of a history when it is told to write into the run. */
const exportedHistory = /^history(?:\..+)?\.(?:npy|csv|h5|hdf5)$/;
/** What a process that died was writing. */
const unfinished = /^\..+\.(?:partial|old)$|\.partial$/;
const modelFile =
  /^(?:config\.json|generation_config\.json|model(?:-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|modeling_gpt2_rmsnorm\.py|MANIFEST\.json)$/;
const stateFile = /^(?:optimizer\.(?:safetensors|json)|random_state\.(?:safetensors|json)|scheduler\.json|trainer_state\.json|progress\.json)$/;
/** What macOS leaves in every folder that was looked at. */
const finderFile = ".DS_Store";

type IsOwn = (name: string) => boolean;

const isTopFile: IsOwn = (name) => isRunFile(name) || exportedHistory.test(name) || unfinished.test(name);
const isModelFile: IsOwn = (name) => modelFile.test(name);
const isCheckpointFile: IsOwn = (name) => modelFile.test(name) || stateFile.test(name);

/** The first entry of a run directory that is not a part of a run, by its path in it; undefined when all of them are. */
export function foreignEntry(directory: string): string | undefined {
  for (const { name, isFolder } of entries(directory)) {
    const inside = isFolder && !unfinished.test(name) ? foreignInFolder(directory, name) : isTopFile(name) ? undefined : "";
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

/** As `foreignEntry`, for a folder in the run; an empty path is the folder itself. */
function foreignInFolder(run: string, folder: string): string | undefined {
  if (folder === finalFolder) return foreignFile(join(run, folder), isModelFile);
  if (folder !== checkpointsFolder) return "";
  for (const { name, isFolder } of entries(join(run, folder))) {
    if (unfinished.test(name)) continue;
    if (!isFolder || stepOfCheckpoint(name) === undefined) return name;
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
