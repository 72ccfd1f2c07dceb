import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { readEvents } from "../../src/runs/read-events.js";
import { describeMachine, measure, median, projectRoot, python, spread } from "../measure.js";

/**
 * Steps a second of the whole machine: two workers of the pool, one thread each, against the plain script with two threads. Medians, in turn.
 *
 *   npx jiti bench/sweep/together.ts [--steps 300] [--rounds 3]
 */
const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" }, steps: { type: "string", default: "300" } } });
const steps = Number(values.steps);
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-bench-"));
const corpus = builtInPath();

/** Steps a second of two trials side by side, from the 20th step of each to its last. */
async function together(engine: string): Promise<number> {
  const out = join(folder, "sweeps");
  const command = [process.execPath, join(projectRoot, "bench/sweep/pooled.mjs"), corpus, values.steps, "2", "2", out, engine];
  const { stdout } = await measure(folder, command, { BH_BRIDGE_PYTHON: python });
  const { directory } = JSON.parse(stdout) as { directory: string };
  const rates = readdirSync(join(directory, "runs")).map((run) => {
    const ends = readEvents(join(directory, "runs", run)).filter((event) => event.type === "step_end");
    return (ends.length - 20) / ((ends.at(-1)?.mono ?? Number.NaN) - (ends[19]?.mono ?? Number.NaN));
  });
  rmSync(out, { recursive: true });
  return rates.reduce((sum, rate) => sum + rate, 0);
}

async function plain(): Promise<number> {
  const script = join(projectRoot, "tests/e2e/plain_training.py");
  const options = ["--steps", values.steps, "--threads", "2", "--logging-steps", "100", "--out", folder];
  const { stdout } = await measure(folder, [python, script, corpus, "rmsnorm-11.2a", ...options]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}").steps_per_second;
}

try {
  console.log(
    `Two workers of one thread each against the plain script with two threads, ${steps} steps, ${values.rounds} rounds\n${await describeMachine()}\n`,
  );
  const rates = { plain: [] as number[], trainer: [] as number[], portable: [] as number[] };
  for (let round = 0; round < Number(values.rounds); round++) {
    rates.plain.push(await plain());
    rates.trainer.push(await together("trainer"));
    rates.portable.push(await together("portable"));
  }
  console.log(spread("plain script, two threads", rates.plain, "steps/s"));
  console.log(spread("two workers, engine trainer", rates.trainer, "steps/s"));
  console.log(spread("two workers, engine portable", rates.portable, "steps/s"));
  console.log(`\n  engine trainer, ratio of medians     ${(median(rates.trainer) / median(rates.plain)).toFixed(2)} (goal 2.0)`);
  console.log(`  engine portable, likewise            ${(median(rates.portable) / median(rates.plain)).toFixed(2)} (goal 5)`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
