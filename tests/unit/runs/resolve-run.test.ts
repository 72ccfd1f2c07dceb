import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { directoryOfRun, findPath, resolveRun } from "../../../src/runs/resolve-run.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const nobody = async () => new Map<string, number>();

test("a run is found by its name or the beginning of it, and an ambiguous beginning names all", async () => {
  const out = join(folder.path, "resolve");
  for (const name of ["2026-a", "2026-b"]) {
    mkdirSync(join(out, name), { recursive: true });
    writeFileSync(join(out, name, "run.json"), "{");
  }
  expect((await resolveRun("2026-b", out, nobody)).id).toBe("2026-b");
  await expect(resolveRun("2026", out, nobody)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("2026-a, 2026-b") });
  await expect(resolveRun("2025-a", out, nobody)).rejects.toMatchObject({ code: "RUN_NOT_FOUND", message: expect.stringContaining("Did you mean 2026-a?") });
});

test("a path that may be a run is one by its name only where nothing lies there; what nobody knows is left for its reader", async () => {
  const out = join(folder.path, "paths");
  for (const name of ["first", "second"]) {
    mkdirSync(join(out, name), { recursive: true });
    writeFileSync(join(out, name, "run.json"), "{");
  }
  expect(await findPath("fir", out)).toBe(join(out, "first"));
  expect(await directoryOfRun("fir", out)).toBe(join(out, "first"));
  expect(await findPath("package.json", out)).toBe("package.json");
  expect(await findPath(join("fir", "file"), out)).toBe(join("fir", "file"));
  expect(await findPath("third", out)).toBe("third");
  await expect(findPath("", out)).rejects.toMatchObject({ code: "USAGE" });
});
