import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { recordableTensorSchema, recordableTensors } from "../config/record-schema.js";
import { checkpointsFolder, historyFile, isHistoryFile, isLaterHistory, modelManifestFile, recordedName, runFiles } from "./run-layout.js";
import { manifestSums } from "./verify-files.js";

/** The name under which Node writes a file before it renames it; `durableWrite` makes it. */
const writtenByNode = /^(.+)\.[0-9a-f]{8}\.partial$/;
/** The name under which Python writes a history before it renames it. */
const writtenByPython = /^\.(.+)\.partial$/;
const ownFinal = /^(?:final|\.final\.(?:partial|old))$/;
const ownCheckpoint = /^(?:step-(\d+)|\.step-(\d+)\.(?:partial|old|removed))$/;
/** The files of a saved model and of a checkpoint whose manifest is missing or not written yet. */
const modelFile =
  /^(?:(?:generation_|tokenizer_)?config\.json|model(?:-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|modeling_\w+\.py|tokenizer\.json|special_tokens_map\.json)$/;
const stateFile = /^(?:optimizer\.(?:safetensors|json)|random_state\.(?:safetensors|json)|(?:scheduler|trainer_state|progress|fast_step)\.json)$/;
/** The name under which safetensors writes a file before it renames it. */
const writtenBySafetensors = /^\.tmp[A-Za-z0-9]{6}$/;
/** What macOS leaves in every folder that was looked at. */
const finderFile = ".DS_Store";

/** Its history is `history.safetensors`, without its name. */
const embedding = "wte";

const topFiles: readonly string[] = Object.values(runFiles);

type IsOwn = (name: string) => boolean;

/** The first entry of a run directory that is not a part of a run, by its path in it; undefined when all of them are. */
export function foreignEntry(directory: string): string | undefined {
  const recorded = recordedTensors(directory);
  for (const { name, isFolder } of entries(directory)) {
    const inside = isFolder ? foreignInFolder(directory, name) : isOwnFile(name, recorded) ? undefined : "";
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

/** Whether a file at the top of a run has a name that our writers give, also while it is being written. */
function isOwnFile(name: string, recorded: ReadonlySet<string>): boolean {
  const unfinished = writtenByNode.exec(name)?.[1];
  const history = writtenByPython.exec(name)?.[1];
  if (history !== undefined) return isOwnHistory(history, recorded);
  const whole = unfinished ?? name;
  return topFiles.includes(whole) || isOwnHistory(whole.replace(/\.idx$/, ".safetensors"), recorded);
}

/** Whether a history is of a tensor that the run records, or was recorded later. A copy that somebody made has another name. */
function isOwnHistory(file: string, recorded: ReadonlySet<string>): boolean {
  if (file === historyFile) return true;
  if (!isHistoryFile(file)) return false;
  const tensor = recordedName(file);
  return (recorded.has(tensor) && tensor !== embedding) || (isLaterHistory(file) && recordableTensorSchema.safeParse(tensor).success);
}

/** The tensors that a run records by its configuration; those that every run can record where it cannot be read. */
function recordedTensors(directory: string): ReadonlySet<string> {
  try {
    const { record } = JSON.parse(readFileSync(join(directory, runFiles.config), "utf8")) as { record: { tensors: string[] } };
    return new Set(record.tensors);
  } catch {
    return new Set(recordableTensors);
  }
}

/** As `foreignEntry`, for a folder in the run; an empty path is the folder itself. */
function foreignInFolder(run: string, folder: string): string | undefined {
  if (ownFinal.test(folder)) return foreignFile(join(run, folder), (name) => modelFile.test(name));
  if (folder !== checkpointsFolder) return "";
  for (const { name, isFolder } of entries(join(run, folder))) {
    if (!isFolder || !isCheckpointName(name)) return name;
    const inside = foreignFile(join(run, folder, name), (file) => modelFile.test(file) || stateFile.test(file));
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

/** Whether a folder has the exact name of a checkpoint, or the one that it has while it is made or removed. */
function isCheckpointName(name: string): boolean {
  const [, finished, hidden] = ownCheckpoint.exec(name) ?? [];
  const digits = finished ?? hidden;
  return digits !== undefined && digits === String(Number(digits)).padStart(6, "0");
}

/** The first entry that is not in the manifest of its folder, or, where there is no sound manifest, has no name that our writers give. */
function foreignFile(directory: string, isKnown: IsOwn): string | undefined {
  const listed = manifestSums(directory);
  const isOwn: IsOwn = (name) => name === modelManifestFile || writtenBySafetensors.test(name) || (listed.size > 0 ? listed.has(name) : isKnown(name));
  return entries(directory).find(({ name, isFolder }) => isFolder || !isOwn(name))?.name;
}

function entries(directory: string): { name: string; isFolder: boolean }[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== finderFile)
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
}
