import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findPath } from "../../../src/runs/checkpoint.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

test("a path that may be a run is one by its name only where nothing lies there; what nobody knows is left for its reader", async () => {
  const out = join(folder.path, "paths");
  for (const name of ["first", "second"]) {
    mkdirSync(join(out, name), { recursive: true });
    writeFileSync(join(out, name, "run.json"), "{");
  }
  expect(await findPath("fir", out)).toBe(join(out, "first"));
  expect(await findPath("package.json", out)).toBe("package.json");
  expect(await findPath(join("fir", "file"), out)).toBe(join("fir", "file"));
  expect(await findPath("third", out)).toBe("third");
  await expect(findPath("", out)).rejects.toMatchObject({ code: "USAGE" });
});
