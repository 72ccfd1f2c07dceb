import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrainerCallback } from "../../src/bridge/trainer-callback.js";
import { train } from "../../src/runner/train.js";
import { filesIn } from "../../src/runs/run-layout.js";
import { writeRunNotes } from "../../src/runs/run-manifest.js";
import { verifyRun } from "../../src/runs/verify-run.js";
import { corpusFile } from "../bridge/corpus-file.js";
import { warmPython } from "../bridge/real-python.js";
import { repetitions } from "../repetitions.js";
import { tellPosition } from "./fuzz.js";
import { Random } from "./random.js";

const flips = Number(process.env["BH_BRIDGE_FUZZ_FLIPS"] ?? repetitions(50, 150));
const seed = Number(process.env["BH_BRIDGE_FUZZ_SEED"] ?? 1);
const first = Number(process.env["BH_BRIDGE_FUZZ_FIRST"] ?? 0);

class Watch extends TrainerCallback {
  override onStepEnd = () => undefined;
}

const out = mkdtempSync(join(tmpdir(), "bh-bridge-flips-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
let run = "";
beforeAll(async () => {
  const model = { vocab_size: 128, n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 };
  const record = { every: 1, tensors: ["wte" as const, "wte.grad" as const] };
  const options = {
    python: warmPython,
    model,
    record,
    training: { max_steps: 3, logging_steps: 1 },
    checkpoint: { every: 2 },
    data: { corpus: corpusFile(out) },
  };
  ({ directory: run } = await train({ ...options, threads: 1, device: "cpu" }, { out, callbacks: [new Watch()] }));
  writeRunNotes(run, { note: "as in the paper", tags: ["baseline"] });
});

test("a finished run is sound, and the lock alone has no checksum", async () => {
  expect(await verifyRun(run)).toEqual({ problems: [], uncovered: [{ file: "run.lock", reason: expect.any(String) }] });
});

test(`${flips} single flipped bits in the files of a finished run: each is found, or its file is named as not covered`, { timeout: 60 * 60_000 }, async () => {
  const files = filesIn(run);
  const missed: string[] = [];
  const hit = new Set<string>();
  for (let index = first; index < first + flips; index++) {
    const random = new Random(seed * 1_000_003 + index);
    const file = random.pick(files);
    const path = join(run, file);
    const bytes = readFileSync(path);
    const [at, bit] = [random.below(bytes.length), random.below(8)];
    tellPosition("flip", index);
    writeFileSync(path, bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit)));
    const { problems, uncovered } = await verifyRun(run);
    writeFileSync(path, bytes);
    if (problems.length === 0 && !uncovered.some((each) => each.file === file)) missed.push(`seed ${seed}, case ${index}: byte ${at}, bit ${bit} of ${file}`);
    hit.add(file);
  }
  process.stderr.write(`flips, seed ${seed}: ${flips} in ${hit.size} of ${files.length} files\n`);
  expect(missed).toEqual([]);
  if (flips >= 150) expect(hit.size).toBeGreaterThan(files.length / 2);
});
