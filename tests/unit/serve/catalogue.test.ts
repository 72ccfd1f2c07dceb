import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Catalogue } from "../../../src/serve/catalogue.js";
import { writeRun } from "./written-run.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bh-bridge-catalogue-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The shelf as a new look finds it: looks that follow closely share one. */
const lookAgain = async (catalogue: Catalogue) => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return catalogue.shelf();
};

test("runs lie in the folder itself or in its folder runs, oldest first, each under the id that it had before a restart", async () => {
  writeRun({ folder: join(folder, "runs"), id: "b", seed: 2 });
  writeRun({ folder, id: "a", seed: 1 });
  const { runs } = await new Catalogue([folder]).shelf();
  expect(runs.map(({ row }) => row.name)).toEqual(["a", "b"]);
  expect((await new Catalogue([folder]).shelf()).runs.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
  expect(runs.map(({ id }) => /^[0-9a-f]{20}$/.test(id))).toEqual([true, true]);
});

test("what lies still is the same object, what another file took the place of is read anew, what is gone is gone", async () => {
  const directory = writeRun({ folder, id: "a", name: "before" });
  writeRun({ folder, id: "b" });
  const catalogue = new Catalogue([folder]);
  const first = await catalogue.shelf();
  const second = await lookAgain(catalogue);
  expect(second).not.toBe(first);
  expect(second.runs[0]).toBe(first.runs[0]);
  const manifest = join(directory, "run.json");
  writeFileSync(`${manifest}.new`, readFileSync(manifest, "utf8").replace('"before"', '"after!"'));
  renameSync(`${manifest}.new`, manifest);
  rmSync(join(folder, "b"), { recursive: true });
  expect((await lookAgain(catalogue)).runs.map(({ row }) => row.name)).toEqual(["after!"]);
});

test("a link that leads out of the folder is not served, and a run with one in it is not read", async () => {
  const elsewhere = join(folder, "elsewhere");
  const served = join(folder, "served");
  mkdirSync(served);
  const secret = writeRun({ folder: elsewhere, id: "secret" });
  symlinkSync(secret, join(served, "linked"));
  cpSync(secret, join(served, "copied"), { recursive: true });
  symlinkSync(join(secret, "config.json"), join(served, "copied", "more.json"));
  const { runs } = await new Catalogue([served]).shelf();
  expect(runs.map(({ row }) => [row.status, row.problem])).toEqual([["corrupt", expect.stringContaining("more.json is a link")]]);
  expect(runs[0]?.config).toBeUndefined();
});
