import { availableParallelism } from "node:os";
import { Bridge } from "../bridge/bridge.js";
import { corpusOf } from "../bridge/corpus.js";
import { loadRunConfig } from "../bridge/load-run-config.js";
import type { RunInput } from "../config/resolve-run-config.js";
import { BhBridgeError } from "../errors.js";
import type { UsablePython } from "../python/require-packages.js";
import { temporaryFolder } from "../python/session-folder.js";

/** Steps until memory and caches are warm. */
const warmUpSteps = 20;
/** About two seconds on one core, enough for a repeatable rate. */
const measuredSteps = 40;
/** Limit for many threads on a busy machine, which could take minutes. */
const maxSeconds = 10;

/** Speed of the default configuration with a number of CPU threads. */
interface ThreadsMeasured {
  readonly threads: number;
  readonly stepsPerSecond: number;
}

interface MeasureThreadsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called before each number of threads is measured. */
  readonly onThreads?: (threads: number) => void;
  /** What to train (default: the default configuration). */
  readonly input?: Omit<RunInput, "device" | "threads">;
}

/** 1, 2, 4, … and the number of cores. */
function threadNumbers(cores = availableParallelism()): number[] {
  const doubled = Array.from({ length: Math.floor(Math.log2(cores)) + 1 }, (_, power) => 2 ** power);
  return [...new Set([...doubled, cores])];
}

/**
 * Train the default configuration for some seconds with each number of threads, with recording, in a temporary folder.
 * @throws {BhBridgeError} `ABORTED`, and as `train`.
 */
export async function measureThreads(python: UsablePython, { signal, onThreads, input = {} }: MeasureThreadsOptions = {}): Promise<ThreadsMeasured[]> {
  using out = temporaryFolder("measure");
  const measured: ThreadsMeasured[] = [];
  for (const threads of threadNumbers()) {
    onThreads?.(threads);
    measured.push({ threads, stepsPerSecond: await stepsPerSecond(python, input, threads, out.path, signal) });
  }
  return measured;
}

async function stepsPerSecond(python: UsablePython, input: RunInput, threads: number, out: string, signal: AbortSignal | undefined): Promise<number> {
  const training = { ...input.training, max_steps: warmUpSteps + measuredSteps };
  const resolved = await loadRunConfig({ input: { ...input, device: "cpu", threads, training } });
  const corpus = await corpusOf(resolved, signal);
  await using bridge = await Bridge.startWith(python, { threads, device: "cpu", ...(signal && { signal }) });
  const model = await bridge.buildModel(resolved.config, signal);
  const trainer = bridge.trainerOf({ resolved, model, corpus, out, callbacks: [] });
  const ends: StepEnd[] = [];
  const limit = new AbortController();
  trainer.onEvent((event) => {
    if (event.type !== "step_end") return;
    ends.push([event.global_step, event.mono]);
    if (event.mono - (ends[0]?.[1] ?? event.mono) > maxSeconds) limit.abort();
  });
  await trainer.train({ signal: AbortSignal.any([limit.signal, ...(signal ? [signal] : [])]) });
  if (signal?.aborted) throw new BhBridgeError("ABORTED", "the measurement was cancelled", { cause: signal.reason });
  return rate(ends);
}

/** The end of a step by Python's clock. */
type StepEnd = readonly [step: number, seconds: number];

/** Steps per second after the warm-up, or over all steps if training was too slow. Some steps may be missing. */
export function rate(ends: readonly StepEnd[]): number {
  const warm = ends.filter(([step]) => step >= warmUpSteps);
  const [first, ...others] = warm.length > 1 ? warm : ends;
  const last = others.at(-1);
  return first && last ? (last[0] - first[0]) / (last[1] - first[1]) : 0;
}
