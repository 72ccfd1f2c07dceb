import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compareFields, meets, parseRunFilters } from "../../../src/commands/runs/run-filter.js";
import { createRunDirectory } from "../../../src/runs/create-run-directory.js";
import { pinDifferences } from "../../../src/runs/pin-differences.js";
import { resolveRun } from "../../../src/runs/resolve-run.js";
import { readRunNotes, writeRunNotes } from "../../../src/runs/run-notes.js";
import { scanRuns } from "../../../src/runs/scan-runs.js";
import { unfinishedRuns } from "../../../src/runs/unfinished-runs.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const nobody = async () => new Map<string, number>();

const pin = {
  device: "cpu",
  threads: 1,
  cpu_capability: "AVX512",
  python: "3.11.7",
  torch: "2.13.0",
  transformers: "5.24.0",
  accelerate: "1.15.0",
  safetensors: "0.8.0",
  numpy: "2.4.6",
  platform: "Linux-6.1.0-18-amd64-x86_64-with-glibc2.36",
};

test("another thread count, PyTorch or C library is a difference; another kernel is none", () => {
  expect(pinDifferences(pin, { ...pin, threads: 2, torch: "2.14.0" })).toEqual(["CPU threads 1 → 2", "PyTorch 2.13.0 → 2.14.0"]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.9.1-x86_64-with-glibc2.36" })).toEqual([]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.1.0-18-amd64-x86_64-with-glibc2.41" })).toHaveLength(1);
});

test("a run directory appears with all its files, and never in place of another", () => {
  const out = join(folder.path, "create");
  const first = createRunDirectory(out, "Größe 1", "0123456789abcdef", { "a.json": "{}", "b.json": "{}" });
  const second = createRunDirectory(out, "Größe 1", "0123456789abcdef", { "a.json": "{}" });
  expect(readdirSync(first)).toEqual(["a.json", "b.json"]);
  expect(second).not.toBe(first);
  expect(readdirSync(out).filter((name) => name.startsWith("."))).toEqual([]);
});

test("a folder that may not be written to is named with the reason", () => {
  writeFileSync(join(folder.path, "file"), "");
  expect(() => createRunDirectory(join(folder.path, "file", "runs"), "x", "0123456789abcdef", { a: "" })).toThrow(
    expect.objectContaining({ code: "FILE_UNWRITABLE", message: expect.stringContaining("a part of the path is a file") }),
  );
});

test("what cannot be read is listed as corrupt, with the reason; hidden and foreign folders are not listed", async () => {
  const out = join(folder.path, "scan");
  for (const name of ["broken", ".hidden.partial", "foreign"]) mkdirSync(join(out, name), { recursive: true });
  writeFileSync(join(out, "broken", "run.json"), "{");
  writeFileSync(join(out, ".hidden.partial", "run.json"), "{");
  expect(await scanRuns(out, nobody)).toMatchObject([{ id: "broken", status: "corrupt", problem: expect.stringContaining("is not JSON") }]);
  expect(await scanRuns(join(out, "absent"), nobody)).toEqual([]);
});

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

test("notes and tags are kept, sorted and once each", () => {
  writeRunNotes(folder.path, { note: "odd", tags: ["b", "a", "b"] });
  expect(readRunNotes(folder.path)).toEqual({ note: "odd", tags: ["a", "b"] });
});

test.each([
  ["seed>=42", 42, true],
  ["seed>42", 42, false],
  ["loss<1e-1", 0.05, true],
  ["status:done", "completed", true],
  ["name~SNOW", "snowball", true],
  ["tags:baseline", ["x", "baseline"], true],
  ["tags!=baseline", ["x"], true],
  ["loss<1", null, false],
] as const)("the condition %s on %j is %j", (text, value, expected) => {
  expect(parseRunFilters([text]).every((filter) => meets(value, filter))).toBe(expected);
});

test.each([
  ["rising", [1, 2, null]],
  ["falling", [2, 1, null]],
] as const)("runs without a value come last where the others are %s", (order, sorted) => {
  expect([1, null, 2].sort((left, right) => compareFields(left, right, order))).toEqual(sorted);
});

test("a run that took no step is not offered to go on with, wherever in its log the first step would be", () => {
  const before = '{"type": "evaluate"}\n'.repeat(6000); // longer than what is read at once
  const logs = {
    none: "",
    evaluated: before,
    stepped: '{"type": "step_end"}\n',
    late: `${before}{"type": "step_end"}\n`,
    "across-two-reads": `${" ".repeat(65_530)}{"type": "step_end"}\n`,
  };
  const runs = Object.entries(logs).map(([id, log]) => {
    const directory = join(folder.path, "unfinished", id);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "events.jsonl"), log);
    return { directory, id, status: "interrupted" as const, manifest: undefined, problem: undefined, pid: undefined };
  });
  expect(unfinishedRuns(runs).map(({ id }) => id)).toEqual(["stepped", "late", "across-two-reads"]);
});

test("a folder of runs that is a file is called one", async () => {
  const file = join(folder.path, "a-file");
  writeFileSync(file, "");
  await expect(scanRuns(file, nobody)).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: `${file} cannot hold runs: it is a file, or a part of its path is one. Give a folder with --out`,
  });
});

test("a run is made with all folders above it; below a file, and where no folder can be made, it is refused", () => {
  const make = (out: string) => createRunDirectory(out, "name", "0123456789abcdef", { "run.json": "{}" });
  expect(readdirSync(make(join(folder.path, "new", "folders")))).toEqual(["run.json"]);
  const file = join(folder.path, "another-file");
  writeFileSync(file, "");
  expect(() => make(join(file, "runs"))).toThrow(`cannot write ${join(file, "runs")}: a part of the path is a file`);
  if (process.platform === "linux") expect(() => make("/proc/runs")).toThrow("cannot write /proc/runs");
});
