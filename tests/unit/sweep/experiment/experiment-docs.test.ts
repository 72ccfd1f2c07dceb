import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { experimentPresetNames, loadExperiment } from "../../../../src/sweep/experiment/load-experiment.js";
import { defaultMeasures } from "../../../../src/sweep/experiment/measures.js";
import { appliedRules, rulesSchema } from "../../../../src/sweep/experiment/rules.js";
import { codeBlocks } from "../../../code-blocks.js";
import { python, temporaryDirectory } from "../../formats/reference-python.js";
import { tinyRun } from "./tiny-run.js";

const home = process.cwd();
const text = readFileSync("docs/experiments.md", "utf8");
const directory = temporaryDirectory();

beforeAll(async () => {
  const [yaml = ""] = codeBlocks(text, "yaml");
  writeFileSync(join(directory, "norms.yaml"), yaml);
  mkdirSync(join(directory, "runs"));
  await using bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
  for (const norm of ["layernorm", "rmsnorm"] as const) renameSync(await tinyRun(bridge, directory, { norm }), join(directory, "runs", `${norm}-42`));
});

test("its experiment is read, and its rules are those that are applied where none are written", async () => {
  const experiment = await loadExperiment("norms.yaml", directory);
  expect(experiment).toMatchObject({ name: "norms", base: "rmsnorm-11.2a", rules: appliedRules(rulesSchema.parse({})), measures: ["deadC@1000"] });
});

test("it names every measure and every experiment that ships", () => {
  for (const name of [...defaultMeasures, ...experimentPresetNames]) expect(text).toContain(`\`${name}\``);
});

test("its programs run", async () => {
  const shown: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((...values) => void shown.push(...values));
  process.chdir(directory);
  vi.stubEnv("BH_BRIDGE_PYTHON", python);
  try {
    for (const [at, program] of codeBlocks(text, "ts").entries()) {
      const path = join(directory, `program-${at}.ts`);
      writeFileSync(path, program.replaceAll('"bh-bridge"', JSON.stringify(join(home, "src", "index.ts"))).replace("max_steps: 300", "max_steps: 3"));
      await import(/* @vite-ignore */ path);
    }
  } finally {
    process.chdir(home);
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
  expect(shown[0]).toBe("inconclusive"); // of one seed
  expect(shown[2]).toMatch(/^# norms: inconclusive\n/);
  expect(shown.at(-1)).toBeCloseTo(0.2589, 4);
});
