import { Bridge } from "../../bridge/bridge.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { SentFiles } from "./sent-files.js";
import type { WorkerSetup } from "./worker-messages.js";

/** What a Python process cannot change once it runs. */
type ProcessNeeds = Pick<RunConfig, "device" | "threads">;

/** The Python of a trial. */
export interface TrialPython {
  /** A Python for a trial, as one that has just started. */
  for(config: RunConfig, signal: AbortSignal): Promise<Bridge>;
  /** The files that configurations name. */
  readonly files: SentFiles;
  /** The repository that runs note; undefined where they look for it themselves. */
  readonly repository: WorkerSetup["repository"];
  /** Train nothing more in it. */
  close(): Promise<void>;
}

/** A Python that trains one trial after the other, PyTorch loaded; each finds it as a process that has just started. */
export class WarmPython implements TrialPython {
  /** The files that configurations name. */
  readonly files: SentFiles;
  readonly #setup: WorkerSetup;
  #bridge: Bridge | undefined;
  #needs = "";

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.files = new SentFiles(setup.sent);
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

  /** The repository that runs note; undefined where they look for it themselves. */
  get repository(): WorkerSetup["repository"] {
    return this.#setup.repository;
  }

  /** End the Python that is there. */
  async close(): Promise<void> {
    const bridge = this.#bridge;
    this.#bridge = undefined;
    await bridge?.close();
  }
}
