import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/experiment/train-result.js";
import { projectRoot, python, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

test("the packed package trains from an empty folder", async () => {
  const { stdout: tarball } = await execa("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder.path], { cwd: projectRoot });
  const inFolder = { cwd: folder.path, stdin: "ignore" } as const;
  await execa("npm", ["init", "-y"], inFolder);
  await execa("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", join(folder.path, tarball.trim())], inFolder);
  const args = ["--no-install", "bh-bridge", "train", "--preset", "quick", "--steps", "5", "--python", python, "--json"];
  const { stdout } = await execa("npx", args, inFolder);
  const result = trainResultSchema.parse(JSON.parse(stdout));
  expect(result.status).toBe("completed");
  expect(result.run.startsWith(folder.path)).toBe(true);
});
