import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { environmentPrompt, folderState } from "../../../../src/python/setup/setup-python.js";
import { folderTest } from "../folder-test.js";

folderTest("tells an environment from what is none", ({ folder }) => {
  expect(folderState(join(folder, "absent"))).toBe("absent or empty");
  expect(folderState(folder)).toBe("absent or empty");
  writeFileSync(join(folder, "thesis.txt"), "");
  expect(folderState(folder)).toBe("foreign");
  expect(folderState(join(folder, "thesis.txt"))).toBe("foreign");
  const environment = join(folder, "environment");
  execFileSync("python3", ["-m", "venv", "--without-pip", environment]);
  expect(folderState(environment)).toBe("usable environment");
  rmSync(join(environment, "bin", "python"));
  expect(folderState(environment)).toBe("foreign"); // somebody else's: nothing in it may be cleared away
  const ours = join(folder, "ours");
  execFileSync("python3", ["-m", "venv", "--without-pip", "--prompt", environmentPrompt, ours]);
  expect(folderState(ours)).toBe("usable environment");
  rmSync(join(ours, "bin", "python"));
  expect(folderState(ours)).toBe("broken environment");
});
