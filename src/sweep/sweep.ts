import { BhBridgeError } from "../errors.js";
import { resolvePython } from "../python/resolve-python.js";
import { conductSweep, type SweepOptions } from "./conduct-sweep.js";
import type { SweepDefinition } from "./grammar/define-sweep.js";
import { loadSweep } from "./grammar/load-sweep.js";
import { planSweep } from "./plan/sweep-plan.js";
import type { SweepDocument } from "./sweep-document.js";
import type { TrialEvent } from "./trial-event.js";

/** A sweep under way. Iterate over it to follow its trials; it goes on whether somebody does or not. */
export class Sweep implements AsyncIterable<TrialEvent> {
  /** What became of every trial; rejects as `sweep` says. */
  readonly result: Promise<SweepDocument>;
  readonly #readers = new Set<EventQueue>();

  /** @internal */
  constructor(conduct: (tell: (event: TrialEvent) => void) => Promise<SweepDocument>) {
    this.result = conduct((event) => {
      for (const reader of this.#readers) reader.push(event);
    });
    const end = () => {
      for (const reader of this.#readers) reader.end();
    };
    this.result.then(end, end); // whoever iterates is told of a failure at the end of its loop
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrialEvent, void> {
    const queue = new EventQueue();
    this.#readers.add(queue);
    try {
      for (let event = await queue.next(); event; event = await queue.next()) yield event;
      await this.result;
    } finally {
      this.#readers.delete(queue);
    }
  }
}

/** So many steps wait for a reader that lags; of those that come then it gets none. */
const maxWaiting = 1024;

/** Events on their way to one reader. */
class EventQueue {
  readonly #waiting: TrialEvent[] = [];
  #wake: (() => void) | undefined;
  #hasEnded = false;

  push(event: TrialEvent): void {
    if (event.kind === "step" && this.#waiting.length >= maxWaiting) return;
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async next(): Promise<TrialEvent | undefined> {
    while (this.#waiting.length === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift();
  }
}

/**
 * Train many runs: every combination of a sweep's axes with every seed, several side by side. The same sweep again continues where it ended, and trains what
 * was added.
 *
 * @param what a sweep, or the path of its file.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, `CORPUS_INVALID`, `RUN_LOCKED`, `DISK_FULL`, `USAGE`, and as `Bridge.start`; by `result`, and
 * at the end of the iteration. A trial that fails is no error: its status says so.
 */
export function sweep(what: string | SweepDefinition, options: SweepOptions = {}): Sweep {
  return new Sweep(async (tell) => {
    requireWorkers(options);
    const loaded = await loadSweep(typeof what === "string" ? { file: what } : { input: what });
    const { python: wanted } = loaded.base.config;
    const python = await resolvePython(wanted === undefined ? {} : { config: wanted }, options.signal);
    return conductSweep(await planSweep(loaded, python, options.signal), python, options, tell);
  });
}

function requireWorkers({ workers }: SweepOptions): void {
  if (workers === undefined || (Number.isInteger(workers) && workers >= 1)) return;
  throw new BhBridgeError("USAGE", `workers is a whole number above 0, not ${workers}`);
}
