import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { interpreterOf } from "../interpreter-of.js";

/** What a folder is to `setup`. A `broken environment` is one that `setup` has begun to make, or whose interpreter has gone: it may be cleared. */
type FolderState = "absent or empty" | "usable environment" | "broken environment" | "foreign";

/** The name that our environments bear at the shell's prompt. It stands in their `pyvenv.cfg`, and shows who made them. */
export const environmentPrompt = "bh-bridge";

/** Look at the folder that an environment is to be made in. @throws {BhBridgeError} `SETUP_FAILED` where this user may not look. */
export function folderState(directory: string): FolderState {
  try {
    return stateSeen(directory);
  } catch (cause) {
    throw new BhBridgeError("SETUP_FAILED", `${directory} cannot be looked at (${(cause as Error).message}): choose another folder with --dir`, { cause });
  }
}

function stateSeen(directory: string): FolderState {
  const entry = statSync(directory, { throwIfNoEntry: false });
  if (!entry) return "absent or empty";
  if (!entry.isDirectory()) return "foreign";
  if (readdirSync(directory).length === 0) return "absent or empty";
  if (!existsSync(join(directory, configFile))) return "foreign";
  if (existsSync(interpreterOf(directory))) return "usable environment";
  return isOurs(directory) ? "broken environment" : "foreign";
}

/** Whether `setup` made an environment: what somebody else has made is added to, and nothing in it is removed. */
export function isOurs(directory: string): boolean {
  const prompt = /^prompt\s*=\s*(.*)$/m.exec(readFileSync(join(directory, configFile), "utf8"))?.[1];
  return prompt?.trim().replaceAll(/['"]/g, "") === environmentPrompt;
}

const configFile = "pyvenv.cfg";
