import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { environmentDirectory } from "../../../src/python/environment-directory.js";
import { folderTest } from "./folder-test.js";

folderTest("a checkout keeps its environment beside its sources, even inside a node_modules", ({ folder }) => {
  const linked = join(folder, "node_modules", "bh-bridge");
  mkdirSync(join(linked, ".git"), { recursive: true });
  expect(environmentDirectory(folder)).toBe(join(folder, ".venv"));
  expect(environmentDirectory(linked)).toBe(join(linked, ".venv"));
});

folderTest.runIf(process.platform === "linux")("an installed package uses the user's data folder", ({ folder }) => {
  const data = process.env["XDG_DATA_HOME"] || join(homedir(), ".local", "share");
  expect(environmentDirectory(join(folder, "node_modules", "bh-bridge"))).toBe(join(data, "bh-bridge", "venv"));
});
