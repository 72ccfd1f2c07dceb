import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "vitest";
import { ownerFileName } from "../../../src/python/dead-folders.js";
import { createSessionFolder, removeSessionFolder } from "../../../src/python/session-folder.js";
import { folderTest } from "./folder-test.js";

folderTest("a session's folder is for its user alone, says whose it is, and goes when it is told to", async () => {
  const made = await createSessionFolder();
  expect(statSync(made).mode & 0o777).toBe(0o700);
  expect(readdirSync(made)).toEqual([ownerFileName]);
  removeSessionFolder(made);
  expect(existsSync(made)).toBe(false);
  expect(existsSync(dirname(made))).toBe(true);
});
