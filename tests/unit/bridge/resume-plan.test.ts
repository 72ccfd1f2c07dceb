import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { extensionProblem, planResume, requireSameConfig, requireSameCorpus } from "../../../src/bridge/resume-plan.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import type { RunConfig } from "../../../src/config/run-config-schema.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { type CorpusFacts, readRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const directory = writeRun({ folder: temporaryDirectory(), id: "a", steps: 20, status: "stopped" });
const config = readRunConfig(directory);
const { corpus, environment } = readRunManifest(directory);
const changed = (fields: object): RunConfig => parseRunConfig({ ...config, ...fields });

test("a run goes on exactly where nothing differs", () => {
  expect(planResume(directory, { config, corpus, environment }, false)).toMatchObject({ directory, exact: true, differences: [], isExtended: false });
});

test("names, places, checkpoints, device and threads may be others: none changes a bit of what is recorded", () => {
  const free = {
    name: "other",
    python: "/python",
    data: { ...config.data, corpus: "/moved.txt" },
    checkpoint: { every: 7, keep: 2 },
    device: "cpu",
    threads: 3,
  };
  expect(requireSameConfig(directory, changed(free))).toBe(false);
});

test("any other field is refused with both values", () => {
  const others = changed({ seed: 9, model: { ...config.model, n_layer: 1 } });
  expect(() => requireSameConfig(directory, others)).toThrow(
    expect.objectContaining({
      code: "RESUME_MISMATCH",
      message: expect.stringMatching(
        /has another configuration: (?=.*seed \(0 → 9\))(?=.*model\.n_layer \(2 → 1\)).*Resume with the run's configuration, or start a new run$/,
      ),
    }),
  );
});

test("another number of steps is refused where the schedule was planned for the first", () => {
  const longer = changed({ training: { ...config.training, max_steps: 40 } });
  expect(() => requireSameConfig(directory, longer)).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", issues: [expect.objectContaining({ path: "training.max_steps" })] }),
  );
});

test("where the schedule is open it may be more, and not fewer than were taken", () => {
  const open = writeRun({ folder: temporaryDirectory(), id: "open", steps: 20, status: "stopped" });
  const path = join(open, "config.json");
  const written = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...written, training: { ...written.training, lr_scheduler_type: "constant" } }));
  const withSteps = (max_steps: number) => parseRunConfig({ ...readRunConfig(open), training: { ...readRunConfig(open).training, max_steps } });
  expect(requireSameConfig(open, withSteps(40))).toBe(true);
  expect(() => requireSameConfig(open, withSteps(10))).toThrow(/it has taken 20 steps already/);
});

test("another text is refused with the sizes and sums of both, and one that was only moved is the same", () => {
  expect(() => requireSameCorpus(directory, corpus, { ...corpus, path: "/moved.txt" })).not.toThrow();
  const other = { ...corpus, path: "/other.txt", bytes: 999, sha256: "1".repeat(64) };
  const message = `the corpus has changed: ${directory} was trained on /text.txt of 1000 bytes, SHA-256 ${"0".repeat(64)}; /other.txt has 999 bytes, SHA-256 ${"1".repeat(64)}. Give the original text with corpus (--corpus on the command line)`;
  expect(() => requireSameCorpus(directory, corpus, other)).toThrow(expect.objectContaining({ code: "RESUME_MISMATCH", message }));
});

test("another environment is refused by name, unless it is allowed: then the run is inexact", () => {
  const present = { config, corpus, environment: { ...environment, torch: "9.9.9" } };
  expect(() => planResume(directory, present, false)).toThrow(
    expect.objectContaining({
      code: "RESUME_MISMATCH",
      message: expect.stringContaining(`in another environment: PyTorch ${environment.torch} → 9.9.9. Its next steps would have other bits`),
    }),
  );
  expect(planResume(directory, present, true)).toMatchObject({ exact: false, differences: [expect.stringContaining("9.9.9")] });
  expect(planResume(directory, { config, corpus, environment }, true).exact).toBe(false); // it was asked to replace what is computed
});

test("tokens of another tokenizer are not those of the run", () => {
  const made = (sha256: string) => ({ tokenizer: { path: "/tokenizer.json", sha256, vocabulary: 9, unreachable: [] } });
  const text = { sha256: "beef" } as CorpusFacts;
  expect(() => requireSameCorpus("/run", { ...text, ...made("a") }, { ...text, ...made("a") })).not.toThrow();
  for (const now of [{ ...text, ...made("b") }, text]) {
    const message = expect.stringContaining("the tokenizer has changed: /run was trained on tokens of /tokenizer.json of SHA-256 a");
    expect(() => requireSameCorpus("/run", { ...text, ...made("a") }, now)).toThrow(expect.objectContaining({ code: "RESUME_MISMATCH", message }));
  }
});

const of = (training: object) => parseRunConfig({ training: { max_steps: 100, ...training } });

test.each(["constant", "constant_with_warmup", "inverse_sqrt"])("%s does not know its end: its run can be made longer or shorter", (lr_scheduler_type) => {
  expect(extensionProblem(of({ lr_scheduler_type }), 200, 100)).toBeUndefined();
  expect(extensionProblem(of({ lr_scheduler_type }), 80, 60)).toBeUndefined();
});

test.each(["linear", "cosine", "polynomial"])("%s was planned for its number of steps", (lr_scheduler_type) => {
  expect(extensionProblem(of({ lr_scheduler_type }), 200, 100)).toContain(`its schedule "${lr_scheduler_type}" depends on the number of steps (100 steps)`);
});

test.each(["warmup_steps", "logging_steps"])("training.%s below 1 is a fraction of the steps, which would change what was done", (field) => {
  expect(extensionProblem(of({ lr_scheduler_type: "constant", [field]: 0.1 }), 200, 100)).toContain(`training.${field} is a fraction`);
  expect(extensionProblem(of({ lr_scheduler_type: "constant", [field]: 10 }), 200, 100)).toBeUndefined();
});

test("a run has at least the steps that it has taken", () => {
  expect(extensionProblem(of({ lr_scheduler_type: "constant" }), 50, 60)).toBe("it has taken 60 steps already");
  expect(extensionProblem(of({ lr_scheduler_type: "constant" }), 60, 60)).toBeUndefined();
});
