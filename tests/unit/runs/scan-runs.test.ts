import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { scanRuns } from "../../../src/runs/scan-runs.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const nobody = async () => new Map<string, number>();

test("what cannot be read is listed as corrupt, with the reason; hidden and foreign folders are not listed", async () => {
  const out = join(folder.path, "scan");
  for (const name of ["broken", ".hidden.partial", "foreign"]) mkdirSync(join(out, name), { recursive: true });
  writeFileSync(join(out, "broken", "run.json"), "{");
  writeFileSync(join(out, ".hidden.partial", "run.json"), "{");
  expect(await scanRuns(out, nobody)).toMatchObject([{ id: "broken", status: "corrupt", problem: expect.stringContaining("is not JSON") }]);
  expect(await scanRuns(join(out, "absent"), nobody)).toEqual([]);
});

test("a folder of runs that is a file is called one", async () => {
  const file = join(folder.path, "a-file");
  writeFileSync(file, "");
  await expect(scanRuns(file, nobody)).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: `${file} cannot hold runs: it is a file, or a part of its path is one. Give a folder with --out`,
  });
});
