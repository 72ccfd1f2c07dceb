import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Bridge } from "../bridge/bridge.js";
import { corpusOf } from "../bridge/corpus.js";
import { loadRunConfig } from "../bridge/load-run-config.js";
import type { UsablePython } from "../python/resolve-python.js";

/** Memory and caches are warm by then. */
const warmUpSteps = 20;
/** About two seconds on one core: long enough for a rate that comes out alike the next time. */
const measuredSteps = 40;

/** How fast the default configuration trains with a number of CPU threads. */
export interface ThreadsMeasured {
  readonly threads: number;
  readonly stepsPerSecond: number;
}

export interface MeasureThreadsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called before each number of threads is measured. */
  readonly onThreads?: (threads: number) => void;
}

/** 1, 2, 4, … and the number of cores. */
export function threadNumbers(cores = availableParallelism()): number[] {
  const doubled = Array.from({ length: Math.floor(Math.log2(cores)) + 1 }, (_, power) => 2 ** power);
  return [...new Set([...doubled, cores])];
}

/**
 * Train the default configuration for some seconds with each number of threads, recording on, and say how fast it went. The runs are made in a temporary
 * folder, which goes again.
 *
 * @throws {BhBridgeError} `ABORTED`, and as `train`.
 */
export async function measureThreads(python: UsablePython, { signal, onThreads }: MeasureThreadsOptions = {}): Promise<ThreadsMeasured[]> {
  const out = mkdtempSync(join(tmpdir(), "bh-bridge-measure-"));
  try {
    const measured: ThreadsMeasured[] = [];
    for (const threads of threadNumbers()) {
      onThreads?.(threads);
      measured.push({ threads, stepsPerSecond: await stepsPerSecond(python, threads, out, signal) });
    }
    return measured;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

async function stepsPerSecond(python: UsablePython, threads: number, out: string, signal: AbortSignal | undefined): Promise<number> {
  const resolved = await loadRunConfig({ input: { device: "cpu", threads, training: { max_steps: warmUpSteps + measuredSteps } } });
  const corpus = await corpusOf(resolved, signal);
  await using bridge = await Bridge.startWith(python, { threads, device: "cpu", ...(signal && { signal }) });
  const model = await bridge.buildModel(resolved.config, signal);
  const trainer = bridge.trainerOf({ resolved, model, corpus, out, callbacks: [] });
  let beganAt = 0;
  let endedAt = 0;
  trainer.onEvent((event) => {
    if (event.type !== "step_end") return;
    if (event.global_step === warmUpSteps) beganAt = event.mono;
    endedAt = event.mono;
  });
  await trainer.train(signal ? { signal } : {});
  return measuredSteps / (endedAt - beganAt);
}
