import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { projectRoot, warmPython } from "./program.js";

// Of three trials of two norms, dtypes and vocabularies one diverges, one is pruned and one is stopped and gone on with. The full form: npm run test:warm.
const sequence = ["--sequences", "1", "--length", "6", "--trials", "3", "--seed", "1894"];

test("trials in one warm worker have the bits of a process of their own, whatever the worker trained before", { timeout: 240_000 }, async () => {
  const { stdout } = await execa(process.execPath, [join(projectRoot, "scripts/warm-test.mjs"), ...sequence], {
    env: { BH_BRIDGE_PYTHON: warmPython },
    reject: false,
  });
  expect(stdout).toMatch(/1 of 1 identical$/);
});
