import { join } from "node:path";
import { Bridge } from "../../bridge/bridge.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import type { WorkerSetup } from "./worker-messages.js";

/** What a Python process cannot change once it runs. */
type ProcessNeeds = Pick<RunConfig, "device" | "threads">;

/** A Python that trains one trial after the other, PyTorch loaded; each finds it as a process that has just started. */
export class WarmPython {
  readonly #setup: WorkerSetup;
  #bridge: Bridge | undefined;
  #needs = "";

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
  }

  /** A Python for a trial: the one that is there, renewed, where it has the device and the threads. */
  async for({ device, threads }: ProcessNeeds, signal: AbortSignal): Promise<Bridge> {
    const needs = JSON.stringify([device, threads]);
    if (this.#needs !== needs) await this.close();
    if (!this.#bridge) {
      const { python, cores, gpu } = this.#setup;
      const own: RunConfig["device"] = gpu !== null && (device === "auto" || device === "cuda") ? `cuda:${gpu}` : device;
      this.#bridge = await Bridge.startWith(python, { device: own, threads, ...(cores && { cores }), signal });
      this.#needs = needs;
    }
    await this.#bridge.renew(signal);
    return this.#bridge;
  }

  /** Where the text of a trial was sent to; nothing where it is read from its own place. */
  corpusFile(sha256: string): string | undefined {
    const { corpora } = this.#setup;
    return corpora === undefined ? undefined : join(corpora, sha256);
  }

  /** End the Python that is there. */
  async close(): Promise<void> {
    const bridge = this.#bridge;
    this.#bridge = undefined;
    await bridge?.close();
  }
}
