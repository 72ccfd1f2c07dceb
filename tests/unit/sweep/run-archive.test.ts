import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { isArchive, openRunArchive, withoutArchives } from "../../../src/sweep/run-archive.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeExperiment } from "../serve/written-experiment.js";
import { writeRun } from "../serve/written-run.js";

const out = temporaryDirectory();
const run = writeRun({ folder: out, id: "first" });
const experiment = writeExperiment(out);

/** A zip of what lies in a folder, as Python packs it. */
function zipped(name: string, folder: string, ...parts: string[]): string {
  const path = join(out, name);
  execFileSync("python3", ["-m", "zipfile", "-c", path, ...parts], { cwd: folder });
  return path;
}

const ofRun = zipped("run.zip", out, "first");
const ofFiles = zipped("bare files.zip", run, "run.json", "config.json", "events.jsonl", "history.safetensors");
const ofBoth = zipped("both.zip", out, "first", basename(experiment));

test.each([
  ["a run's folder", ofRun, ["run/first"]],
  ["a run's files alone", ofFiles, ["bare-files"]],
  ["a run and an experiment, whose runs belong to it", ofBoth, [`both/${basename(experiment)}`, "both/first"].sort()],
])("an archive of %s", async (_, path, expected) => {
  let folder: string;
  {
    using archive = await openRunArchive(path);
    ({ folder } = archive);
    expect(archive.directories.map((directory) => directory.slice(join(folder, "..").length + 1)).sort()).toEqual(expected);
    expect(readFileSync(join(archive.directories.find((each) => !each.includes(basename(experiment))) ?? "", "run.json"))).toEqual(
      readFileSync(join(run, "run.json")),
    );
  }
  expect(existsSync(join(folder, "..")), "all of it goes").toBe(false);
});

test("an archive without a run is told, and a file that is no zip is none", async () => {
  writeFileSync(join(out, "words"), "words");
  const other = zipped("other.zip", out, "words");
  expect(isArchive(other)).toBe(true);
  await expect(openRunArchive(other)).rejects.toMatchObject({ code: "RUN_NOT_FOUND", message: expect.stringContaining("other.zip contains no run") });
  for (const path of [join(out, "words"), out, join(out, "nothing")]) expect(isArchive(path)).toBe(false);
});

test("paths that are no archives stay as they are, and archives go with all that stands in their place", async () => {
  let unpacked: string;
  {
    using opened = await withoutArchives(["name", ofRun]);
    expect(opened.paths[0]).toBe("name");
    unpacked = opened.paths[1] ?? "";
    expect(basename(unpacked)).toBe("first");
    expect(existsSync(unpacked)).toBe(true);
  }
  expect(existsSync(unpacked)).toBe(false);
  await expect(withoutArchives([ofRun, join(out, "other.zip")])).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});
