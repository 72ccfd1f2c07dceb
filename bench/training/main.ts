import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { allocator } from "../../src/python/launcher.js";
import { describeMachine, measure, median, projectRoot, python, spread } from "../measure.js";

/**
 * Training against the same configuration as one plain Python script: steps a second with the same bits, time to the first step,
 * and what bridge and recording take. Ratios of medians, in turn, a fresh process each.
 */
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, steps: { type: "string", default: "200" }, threads: { type: "string", default: "1" } },
});
const { rounds, steps, threads } = { rounds: Number(values.rounds), steps: values.steps, threads: values.threads };

interface Speed {
  stepsPerSecond: number;
  firstStepSeconds: number;
}

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-bench-"));
const corpus = builtInPath();

function historyOf(path: string): Buffer {
  const bytes = readFileSync(path);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString("utf8"));
  const [from, to] = header.embedding_history.data_offsets as [number, number];
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  return bytes.subarray(data + from, data + to);
}

async function plain(out: string): Promise<Speed> {
  const script = join(projectRoot, "tests/e2e/plain_training.py");
  const { stdout, started } = await measure(folder, [
    python,
    script,
    corpus,
    "rmsnorm-11.2a",
    "--steps",
    steps,
    "--threads",
    threads,
    "--logging-steps",
    "100",
    "--out",
    out,
  ]);
  const answer = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}");
  return { stepsPerSecond: answer.steps_per_second, firstStepSeconds: answer.first_step_at - started };
}

/** Train with an engine. */
async function product(engine: string): Promise<Speed & { run: string }> {
  const args = [
    "train",
    "--engine",
    engine,
    "--corpus",
    corpus,
    "--steps",
    steps,
    "--threads",
    threads,
    "--device",
    "cpu",
    "--python",
    python,
    "--out",
    join(folder, "runs"),
    "--json",
  ];
  const { stdout, started } = await measure(folder, [process.execPath, join(projectRoot, "dist/cli.js"), ...args]);
  const run = JSON.parse(stdout).run as string;
  const events = readFileSync(join(run, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; global_step: number; mono: number; wall: number });
  const at = (step: number) => events.find((event) => event.type === "step_end" && event.global_step === step);
  const [first, twentieth, last] = [at(1), at(20), at(Number(steps))];
  if (!first || !twentieth || !last) throw new Error(`${run} has not the events that were expected`);
  return { run, stepsPerSecond: (Number(steps) - 20) / (last.mono - twentieth.mono), firstStepSeconds: first.wall - started };
}

try {
  mkdirSync(join(folder, "runs"));
  console.log(`Training, ${steps} steps, ${threads} thread(s), ${rounds} rounds\n${await describeMachine()}\n`);
  const theirs: Speed[] = [];
  const ours: Speed[] = [];
  const portable: Speed[] = [];
  let sameBits = true;
  for (let round = 0; round < rounds; round++) {
    theirs.push(await plain(folder));
    const { run, ...speed } = await product("trainer");
    ours.push(speed);
    sameBits &&= historyOf(join(run, "history.safetensors")).equals(historyOf(join(folder, "rmsnorm-11.2a.safetensors")));
    rmSync(run, { recursive: true });
    const other = await product("portable");
    portable.push(other);
    rmSync(other.run, { recursive: true });
  }
  const { stdout } = await measure(folder, [python, join(projectRoot, "bench/training/recording_cost.py"), corpus, steps, threads], allocator);
  const cost = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Record<
    "microseconds" | "share" | "checkpointMilliseconds" | "shareWithCheckpoints",
    number
  >;
  const rate = (speeds: Speed[]) => speeds.map((speed) => speed.stepsPerSecond);
  const first = (speeds: Speed[]) => speeds.map((speed) => speed.firstStepSeconds);
  console.log(spread("plain script", rate(theirs), "steps/s"));
  console.log(spread("bh-bridge train, recording", rate(ours), "steps/s"));
  console.log(spread("engine portable", rate(portable), "steps/s"));
  console.log(spread("plain script, first step after", first(theirs), "s"));
  console.log(spread("bh-bridge train, first step after", first(ours), "s"));
  console.log(`\n  same bits in every round             ${sameBits ? "yes" : "NO"}`);
  console.log(`  speed, ratio of medians              ${(median(rate(ours)) / median(rate(theirs))).toFixed(3)} (goal 1.65)`);
  console.log(`  engine portable, likewise            ${(median(rate(portable)) / median(rate(theirs))).toFixed(3)} (goal 2.8)`);
  console.log(`  first step, difference of medians    ${(median(first(ours)) - median(first(theirs))).toFixed(3)} s (goal 0.3)`);
  console.log(`  bridge and recording                 ${cost.microseconds.toFixed(0)} µs a step, ${(100 * cost.share).toFixed(2)} % of training`);
  const saving = `a checkpoint takes ${cost.checkpointMilliseconds.toFixed(0)} ms, every 1,000 steps`;
  console.log(`  with default checkpoints             ${saving}: ${(100 * cost.shareWithCheckpoints).toFixed(2)} % of training in all (goal 1 %)`);
} finally {
  if (existsSync(folder)) rmSync(folder, { recursive: true });
}
