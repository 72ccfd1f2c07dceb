import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { experimentDocumentSchema } from "../../src/sweep/experiment/experiment-summary.js";
import { noiseFloorDocumentSchema } from "../../src/sweep/experiment/noise-floor.js";
import { sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { run, start, temporaryFolder, withoutTorch } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const file = join(folder.path, "rates.json");
const out = join(folder.path, "experiments");
const base = {
  device: "cpu",
  threads: 1,
  model: { n_layer: 1, n_positions: 16 },
  training: { max_steps: 40, per_device_train_batch_size: 2, logging_steps: 10 },
};
const arms = { slow: { training: { learning_rate: 1e-4 } }, usual: { training: { learning_rate: 1e-3 } } };
writeFileSync(file, JSON.stringify({ base, arms, rules: { decides: ["finalLoss"], margin: { finalLoss: 0.01 } } }));

const command = ["experiment", file, "--until-decided", "--seeds", "1..12", "--workers", "2", "--out", out];

test("a killed experiment goes on at the next pair, stops when it is decided, and what it did not need is neither missing nor failed", async () => {
  const planned = await run([...command, "--dry-run"], { env: withoutTorch });
  expect(planned.stdout).toContain("At most 12 pairs: training stops as soon as the rules decide");
  const killed = start([...command, "--progress", "json"]);
  for await (const line of killed.iterable({ from: "stderr" })) if (String(line).includes('"kind":"judged"') && String(line).includes('"pairs":2')) break;
  killed.kill("SIGKILL");
  await killed;
  const ended = await run([...command, "--json"]);
  expect(ended.exitCode, ended.stderr).toBe(0);
  const document = experimentDocumentSchema.parse(JSON.parse(ended.stdout));
  expect(document.verdict.result).toBe("positive");
  const [arm] = document.sequential?.arms ?? [];
  expect(arm).toMatchObject({ arm: "usual", state: "decided", result: "positive" });
  expect(arm?.pairs).toBeLessThan(10);
  expect(readdirSync(join(document.directory, "runs")).length).toBeLessThanOrEqual(2 * (arm?.pairs ?? 0) + 1); // one may have been stopped
  expect(readFileSync(join(document.directory, "summary.md"), "utf8")).toMatch(/usual decided after \d of 12 pairs\. \d+ trainings not needed/);
  const { counts, trials } = sweepDocumentSchema.parse(JSON.parse((await run(["sweep", "status", document.directory, "--json"])).stdout));
  expect(counts).toMatchObject({ planned: 0, failed: 0, lost: 0 });
  expect(counts.completed + counts.skipped).toBe(24);
  expect(trials.find(({ status }) => status === "skipped")?.reason).toMatch(/^decided after \d of 12 pairs$/);
  const more = await run([...command, "--max-seeds", "14", "--json"]); // a higher maximum changes nothing that is decided
  expect([more.exitCode, experimentDocumentSchema.parse(JSON.parse(more.stdout)).sequential?.arms[0]?.pairs]).toEqual([0, arm?.pairs]);
}, 240_000);

test("--max-seeds and --effect are refused where they mean nothing", async () => {
  expect(await run(["experiment", file, "--max-seeds", "3"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Add --until-decided") });
  expect(await run(["experiment", file, "--effect", "finalLoss=1"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("add --noise-floor") });
  const unknown = await run(["experiment", file, "--noise-floor", "2", "--effect", "finalLos=1"]);
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("did you mean") });
});

test("a noise floor trains the control alone, and a dry run plans effects from it", async () => {
  const floor = ["experiment", file, "--noise-floor", "3", "--seeds", "1..3", "--workers", "2", "--out", out, "--json"];
  const ended = await run(floor);
  expect(ended.exitCode, ended.stderr).toBe(0);
  const { control, runs, measures, effects } = noiseFloorDocumentSchema.parse(JSON.parse(ended.stdout));
  expect([control, runs.map(({ seed }) => seed), effects]).toEqual(["slow", [1, 2, 3], []]);
  const loss = measures.find(({ measure }) => measure === "finalLoss");
  const values = loss?.values.map(Number) ?? [];
  const mean = values.reduce((sum, value) => sum + value, 0) / 3;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
  expect(loss?.sd).toBeCloseTo(sd, 10);
  // 95 % of chi-squared with two degrees of freedom lie between −2 ln 0.975 and −2 ln 0.025.
  expect(loss?.sdInterval?.low).toBeCloseTo(sd * Math.sqrt(2 / (-2 * Math.log(0.025))), 8);
  expect(loss?.sdInterval?.high).toBeCloseTo(sd * Math.sqrt(2 / (-2 * Math.log(0.975))), 8);
  const effect = `finalLoss=${100 * sd}`;
  const planned = noiseFloorDocumentSchema.parse(JSON.parse((await run([...floor, "--effect", effect, "--dry-run"], { env: withoutTorch })).stdout));
  expect(planned.effects[0]).toMatchObject({ measure: "finalLoss", margin: 0.01, tests: 1 });
  expect(planned.effects[0]?.bySd[0]?.designs.map(({ pairs }) => pairs)).toEqual([6, 6, 6, 6]);
}, 120_000);
