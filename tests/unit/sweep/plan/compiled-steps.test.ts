import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import { compiledShape, hasCompiledSteps, isToBeCompiled } from "../../../../src/sweep/plan/compiled-steps.js";
import { expectedFrom, temporaryDirectory } from "../../formats/reference-python.js";

const fast = (input: RunConfigInput) => parseRunConfig({ engine: "fast", ...input });
const ofSteps = (max_steps: number, input: RunConfigInput = {}) => fast({ ...input, training: { max_steps } });

test("a step is compiled from 250 steps on", () => {
  expect([249, 250].map((steps) => isToBeCompiled(ofSteps(steps)))).toEqual([false, true]);
});

test("it is compiled where that is wished, and never in a stack or by the other engine", () => {
  expect(isToBeCompiled(ofSteps(10, { compiled_step: "on" }))).toBe(true);
  expect(isToBeCompiled(ofSteps(1000, { compiled_step: "off" }))).toBe(false);
  expect(isToBeCompiled(ofSteps(1000, { stack: 2 }))).toBe(false);
  expect(isToBeCompiled(parseRunConfig({ training: { max_steps: 1000 } }))).toBe(false);
});

test("runs that differ in seed, rate, length and start have one compiled step, and other models, batches and threads another", () => {
  const shape = compiledShape(fast({}));
  expect(compiledShape(fast({ seed: 9, init: { kind: "singular" }, training: { learning_rate: 1e-4, max_steps: 7 } }))).toBe(shape);
  const others = [fast({ model: { n_embd: 32 } }), fast({ training: { per_device_train_batch_size: 8 } }), fast({ threads: 1 })];
  expect(new Set([shape, ...others.map(compiledShape)]).size).toBe(4);
});

test("what was compiled is looked for where Python keeps it", () => {
  const home = temporaryDirectory();
  const folder = join(home, ".cache", "bh-bridge", "compiled");
  const kept = expectedFrom<string>(
    `
import json, os, sys
os.environ["HOME"] = sys.argv[1]
os.environ.pop("XDG_CACHE_HOME", None)
os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)
sys.path.insert(0, "python")
from bh_bridge.fast_step.compiling import CACHE, _keep_compiled
_keep_compiled()
print(json.dumps(os.environ[CACHE]))`,
    home,
  );
  expect(kept).toBe(folder); // which is there now, and empty
  const caches = { XDG_CACHE_HOME: join(home, ".cache") };
  expect(hasCompiledSteps(caches)).toBe(false);
  mkdirSync(join(folder, "fxgraph"));
  expect(hasCompiledSteps(caches)).toBe(true);
  expect(hasCompiledSteps({ XDG_CACHE_HOME: join(home, "other") })).toBe(false);
  expect(hasCompiledSteps({ ...caches, TORCHINDUCTOR_CACHE_DIR: join(home, "of-the-user") })).toBe(false);
});
