import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { directoryOfRun, resolveRun } from "../../../src/runs/scan-runs.js";
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

test("of a run its directory alone may be wanted", async () => {
  const out = join(folder.path, "directories");
  mkdirSync(join(out, "first"), { recursive: true });
  writeFileSync(join(out, "first", "run.json"), "{");
  expect(await directoryOfRun("fir", out)).toBe(join(out, "first"));
});
