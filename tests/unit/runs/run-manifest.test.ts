import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { corpusName, pinDifferences, readRunManifest, runFormat, runManifestText, writeRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";
import { pin } from "./environment-pin.js";

const written = () => writeRun({ folder: temporaryDirectory(), id: "a" });

/** The manifest of a written run, changed as text would be. */
function changed(change: (manifest: Record<string, unknown>) => void): string {
  const directory = written();
  const path = join(directory, "run.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
  return directory;
}

test("what is written is read back, in place of what was there, and nothing stays beside it", () => {
  const directory = written();
  const before = readdirSync(directory);
  const manifest = { ...readRunManifest(directory), status: "failed", reason: "DISK_FULL" } as const;
  writeRunManifest(directory, manifest);
  expect(readRunManifest(directory)).toEqual(manifest);
  expect(readdirSync(directory)).toEqual(before);
  expect(readFileSync(join(directory, "run.json"), "utf8")).toBe(runManifestText(manifest));
});

test("a run of an earlier version, without engine and model changes, is read", () => {
  const manifest = readRunManifest(
    changed((document) => {
      for (const field of ["engine", "step_method", "batched_runs", "model_changes"]) Reflect.deleteProperty(document, field);
    }),
  );
  expect(manifest.model_changes).toEqual([]);
  expect(manifest).not.toHaveProperty("engine");
});

test("the entries of earlier versions on how steps are computed are read as one", () => {
  const exact = { used: true, reason: "equal bits, and faster", plain_seconds: 0.07, exact_seconds: 0.05 };
  const graphed = { used: false, reason: "its bits differ here", eager_seconds: 0.2, graphed_seconds: 0.1 };
  const read = (entries: object) =>
    readRunManifest(
      changed((document) => {
        for (const field of ["step_method", "batched_runs"]) Reflect.deleteProperty(document, field);
        Object.assign(document, entries);
      }),
    );
  const used = { method: "exact", used: true, reason: exact.reason, reference_seconds: 0.07, seconds: 0.05 };
  expect(read({ stack: 2, exact_step: exact, compiled_step: null, graphed_step: graphed })).toMatchObject({ batched_runs: 2, step_method: used });
  const failed = { method: "graphed", used: false, reason: graphed.reason, reference_seconds: 0.2, seconds: 0.1 };
  expect(read({ exact_step: null, compiled_step: null, graphed_step: graphed }).step_method).toEqual(failed);
  const compiled = read({ exact_step: null, compiled_step: { used: true, reason: "it pays", seconds: 2.5 } });
  expect(compiled.step_method).toEqual({ method: "compiled", used: true, reason: "it pays", reference_seconds: null, seconds: 2.5 });
  expect(read({ exact_step: null, compiled_step: null }).step_method).toBeNull();
});

test("a newer format that we can still read is read; one that needs a newer reader is refused with the remedy, whatever else it says", () => {
  expect(readRunManifest(changed((document) => Object.assign(document, { format: runFormat + 1 }))).format).toBe(runFormat + 1);
  const newer = changed((document) => Object.assign(document, { min_reader: runFormat + 1, novelty: true }));
  expect(() => readRunManifest(newer)).toThrow(
    expect.objectContaining({
      code: "RUN_UNSUPPORTED",
      message: `${newer} has run format ${runFormat + 1}, this bh-bridge reads up to ${runFormat}: install a newer one`,
    }),
  );
});

test.each([
  ["a status that no run has", { status: "paused" }, "status"],
  ["a field of no version", { novelty: true }, "novelty"],
  ["an environment without threads", { environment: {} }, "threads"],
])("%s makes the run corrupt", (_, change, reason) => {
  expect(() => readRunManifest(changed((document) => Object.assign(document, change)))).toThrow(
    expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringContaining(reason) }),
  );
});

test("a directory without it is no run", () => {
  expect(() => readRunManifest(temporaryDirectory())).toThrow(expect.objectContaining({ code: "RUN_NOT_FOUND" }));
});

test("one text has the name of its file", () => {
  expect(corpusName({ path: "/texts/a.txt", windows: 7 })).toBe("a.txt");
});

test("several have theirs, with their shares", () => {
  const file = { sha256: "", bytes: 1, tokens: 1, weight: 1 };
  const files = [
    { ...file, path: "/texts/a.txt", windows: 2 },
    { ...file, path: "/others/b.txt", windows: 1 },
  ];
  expect(corpusName({ path: "/texts/a.txt + /others/b.txt", files, windows: 3 })).toBe("a.txt (66.7 %), b.txt (33.3 %)");
});

test("another thread count, PyTorch or C library is a difference; another kernel is none", () => {
  expect(pinDifferences(pin, { ...pin, threads: 2, torch: "2.14.0" })).toEqual(["CPU threads 1 → 2", "PyTorch 2.13.0 → 2.14.0"]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.9.1-x86_64-with-glibc2.36" })).toEqual([]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.1.0-18-amd64-x86_64-with-glibc2.41" })).toHaveLength(1);
});

test("a processor of another maker, or with other instructions for bfloat16, is a difference; an older run, which does not tell its own, has none", () => {
  expect(pinDifferences(pin, { ...pin, processor: "Intel with AVX512-BF16" })).toEqual(["processor Intel with AMX → Intel with AVX512-BF16"]);
  const { processor: _processor, ...older } = pin;
  expect(pinDifferences(older, pin)).toEqual([]);
  const portable = { ...pin, recipe: 1 };
  expect(pinDifferences(portable, { ...portable, threads: 2, torch: "2.14.0", processor: "Apple M4" })).toEqual([]);
  expect(pinDifferences(portable, { ...portable, recipe: 2 })).toEqual(["recipe of engine portable 1 → 2"]);
  expect(pinDifferences(portable, { ...pin, threads: 2 })).toEqual(["CPU threads 1 → 2"]);
});
