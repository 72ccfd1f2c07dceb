import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { readEvents } from "../../src/runs/read-events.js";
import { describeMachine, measure, median, projectRoot, python, spread } from "../measure.js";

/**
 * Many runs through the pool against the same runs one after another, each a process with two threads or with one: ratios of medians, in turn, fresh
 * processes. And what the pool itself takes: its controller with the ledger, and the time from one trial of a worker to the first step of the next.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seeds: { type: "string", default: "8" },
    steps: { type: "string", default: "300" },
    workers: { type: "string", default: "2" },
  },
});
const { steps, workers } = values;
const [rounds, seeds] = [Number(values.rounds), Number(values.seeds)];
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-bench-"));
const corpus = builtInPath();
const environment = { BH_BRIDGE_PYTHON: python };

interface Pooled {
  seconds: number;
  /** Of the processor time that there was while the plan was carried out. */
  controllerShare: number;
  /** From the end of a worker's trial, with its analysis and its line in the ledger, to the beginning of its next one's steps. */
  toFirstStep: number[];
  /** From the last step of a worker's trial to the beginning of the next one's steps. */
  betweenSteps: number[];
}

async function pooled(): Promise<Pooled> {
  const out = join(folder, "sweeps");
  const command = [process.execPath, join(projectRoot, "bench/sweep/pooled.mjs"), corpus, steps, String(seeds), workers, out];
  const { stdout, wall } = await measure(folder, command, environment);
  const answer = JSON.parse(stdout) as { directory: string; completed: number; controllerSeconds: number; seconds: number };
  if (answer.completed !== seeds) throw new Error(`${answer.completed} of ${seeds} trials were completed`);
  const gaps = gapsOf(answer.directory);
  rmSync(out, { recursive: true });
  return { seconds: wall, controllerShare: answer.controllerSeconds / answer.seconds / Number(workers), ...gaps };
}

interface Line {
  at: string;
  trial: string;
  status: string;
  run: string;
  worker?: { pid: number };
}

/** What lay between the trials of each worker, in seconds, by the ledger and the events of the runs. */
function gapsOf(directory: string): Pick<Pooled, "toFirstStep" | "betweenSteps"> {
  const lines = readFileSync(join(directory, "ledger.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const ended = new Map(lines.flatMap(({ at, trial, status }) => (status === "completed" ? [[trial, Date.parse(at) / 1000] as const] : [])));
  const gaps: Pick<Pooled, "toFirstStep" | "betweenSteps"> = { toFirstStep: [], betweenSteps: [] };
  const previous = new Map<number, Line>();
  for (const line of lines.filter(({ status }) => status === "running")) {
    const pid = line.worker?.pid ?? 0;
    const before = previous.get(pid);
    previous.set(pid, line);
    if (!before) continue;
    const begin = wallOf(directory, line.run, "train_begin");
    gaps.toFirstStep.push(begin - (ended.get(before.trial) ?? Number.NaN));
    gaps.betweenSteps.push(begin - wallOf(directory, before.run, "step_end"));
  }
  return gaps;
}

/** The time of the last event of a type in a run. */
function wallOf(directory: string, run: string, type: "train_begin" | "step_end"): number {
  return readEvents(join(directory, run)).findLast((event) => event.type === type)?.wall ?? Number.NaN;
}

/** The same runs one after another, each a process; seconds of all of them together. */
async function oneByOne(threads: string): Promise<number> {
  const out = join(folder, "runs");
  let seconds = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const train = ["train", "--corpus", corpus, "--steps", steps, "--set", `seed=${seed}`, "--threads", threads, "--device", "cpu", "--out", out, "--quiet"];
    seconds += (await measure(folder, [process.execPath, join(projectRoot, "dist/cli.js"), ...train], environment)).wall;
  }
  rmSync(out, { recursive: true });
  return seconds;
}

try {
  console.log(`${seeds} seeds × ${steps} steps, ${workers} workers, ${rounds} rounds\n${await describeMachine()}\n`);
  const pool: Pooled[] = [];
  const twoThreads: number[] = [];
  const oneThread: number[] = [];
  for (let round = 0; round < rounds; round++) {
    pool.push(await pooled());
    twoThreads.push(await oneByOne("2"));
    oneThread.push(await oneByOne("1"));
  }
  const seconds = pool.map((each) => each.seconds);
  const ratio = (others: readonly number[]) => (median(others) / median(seconds)).toFixed(2);
  console.log(spread("pool", seconds, "s"));
  console.log(spread("one by one, 2 threads", twoThreads, "s"));
  console.log(spread("one by one, 1 thread", oneThread, "s"));
  const toFirstStep = pool.flatMap((each) => each.toFirstStep);
  console.log(spread("from a trial to the next one's steps", toFirstStep, "s"));
  const betweenSteps = pool.flatMap((each) => each.betweenSteps);
  console.log(spread("from last step to first", betweenSteps, "s"));
  console.log(`\n  pool against 2 threads               ${ratio(twoThreads)} (goal 1.4)`);
  console.log(`  pool against 1 thread                ${ratio(oneThread)} (goal 1.8)`);
  console.log(`  next trial begins its steps after    ${median(toFirstStep).toFixed(3)} s (goal 0.5)`);
  console.log(`  controller and ledger                ${(100 * median(pool.map((each) => each.controllerShare))).toFixed(2)} % (goal 1 %)`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
