import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { exportTargets } from "../../../src/runner/exported.js";
import { checkpointKinds } from "../../../src/runs/checkpoint.js";

const text = readFileSync("docs/formats.md", "utf8");

test("its tables name every kind that is read and every format that is written", () => {
  for (const name of [...checkpointKinds, ...exportTargets]) expect(text).toContain(`| \`${name}\` |`);
});
