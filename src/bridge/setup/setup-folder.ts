import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { interpreterOf } from "../interpreter-of.js";

/** What a folder is to `setup`; an `environment` that is not usable has lost its interpreter. */
export type FolderState = "absent or empty" | "usable environment" | "environment" | "foreign";

/** Look at the folder that an environment is to be made in. */
export function folderState(directory: string): FolderState {
  const entry = statSync(directory, { throwIfNoEntry: false });
  if (!entry) return "absent or empty";
  if (!entry.isDirectory()) return "foreign";
  if (readdirSync(directory).length === 0) return "absent or empty";
  if (!existsSync(join(directory, "pyvenv.cfg"))) return "foreign";
  return existsSync(interpreterOf(directory)) ? "usable environment" : "environment";
}
