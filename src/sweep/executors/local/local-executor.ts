import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { UsablePython } from "../../../python/require-packages.js";
import { askTorch } from "../../../python/run-python-script.js";
import { stopLadder } from "../../../python/session-end.js";
import { runPool } from "../../pool/run-pool.js";
import type { Training, TrialEnd, TrialListener, TrialTask, TrialWorker, WorkerLocation } from "../../pool/trial-task.js";
import type { WorkerOrder, WorkerReport, WorkerSetup } from "../../pool/worker-channel.js";
import type { Executor, Machine, TrialJob } from "../executor.js";

const extension = extname(import.meta.url);
const workerFile = fileURLToPath(new URL(`../../pool/trial-worker${extension}`, import.meta.url));
/** Node needs a loader to run TypeScript sources (in tests and benchmarks). */
const loader = extension === ".ts" ? ["--import", new URL("../../../../scripts/typescript-loader.mjs", import.meta.url).href] : [];
/** An idle Python exits within 2 s; a slower worker is killed. */
const leaveGraceMs = 10_000;
/** Length of the stored end of stderr, for the error message. */
const maxStderrLength = 4000;

export class LocalWorker implements TrialWorker {
  readonly location: WorkerLocation;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #stderr = "";
  /** The current trials, by index. */
  #underWay: ({ listener: TrialListener; finish: (end: TrialEnd) => void } | undefined)[] = [];

  /** @param program the program of the process (default: the worker that trains). */
  constructor(setup: WorkerSetup, program: string = workerFile) {
    // JSON, as it would be sent to another machine. Python's output goes to the run; the worker's own stdout would mix with `--json`.
    this.#process = fork(program, [], { execArgv: loader, stdio: ["ignore", "ignore", "pipe", "ipc"], serialization: "json" });
    this.location = { pid: this.#process.pid ?? 0, cores: setup.cores };
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-maxStderrLength);
    });
    this.#process.on("message", (report: WorkerReport) => this.#hear(report));
    this.#process.on("error", () => undefined); // the worker has gone; `close` reports its end
    this.#ended = once(this.#process, "close").then(([code, signal]) => this.#afterExit(code, signal));
    this.#send({ kind: "setup", setup });
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async train(trainings: readonly Training[]): Promise<TrialEnd[]> {
    const ends = trainings.map(
      ({ listener }, index) =>
        new Promise<TrialEnd>((finish) => {
          this.#underWay[index] = { listener, finish };
        }),
    );
    if (this.isAlive) this.#send({ kind: "train", tasks: trainings.map(({ task }) => task) });
    else this.#afterExit(this.#process.exitCode, this.#process.signalCode);
    return Promise.all(ends);
  }

  stop(): void {
    this.#send({ kind: "stop" });
  }

  async close(): Promise<void> {
    await stopLadder(this.#ended, [
      { act: () => this.#send({ kind: "leave" }), graceMs: leaveGraceMs },
      { act: () => this.#process.kill("SIGKILL"), graceMs: Number.POSITIVE_INFINITY },
    ]);
  }

  #send(order: WorkerOrder): void {
    if (this.#process.connected) this.#process.send(order, () => undefined);
  }

  #hear(report: WorkerReport): void {
    const trial = this.#underWay[report.index];
    if (report.kind === "started") trial?.listener.onStart(report.run, report.fromStep);
    else if (report.kind === "step") trial?.listener.onStep(report.step, report.loss ?? Number.NaN);
    else {
      this.#underWay[report.index] = undefined;
      trial?.finish(report.end);
    }
  }

  #afterExit(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `exit code ${code}` : signal;
    const memory = signal === "SIGKILL" ? ", as the system does when memory runs out" : "";
    const end: TrialEnd = { kind: "died", reason: `the worker ended with ${how}${memory}${this.#stderr === "" ? "" : `\n${this.#stderr.trim()}`}` };
    for (const trial of this.#underWay.splice(0)) trial?.finish(end);
  }
}

/** The cores that this process may run on; undefined outside Linux. */
export function allowedCores(): number[] | undefined {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return list?.split(",").flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
  } catch {
    return undefined;
  }
}

/** Disjoint, even shares of the cores for the workers. Undefined if a share is smaller than a trial's threads; the operating system schedules better then. */
export function coreShares(cores: readonly number[], workers: number, threads: number): number[][] | undefined {
  if (Math.floor(cores.length / workers) < threads) return undefined;
  return Array.from({ length: workers }, (_, worker) =>
    cores.slice(Math.floor((worker * cores.length) / workers), Math.floor(((worker + 1) * cores.length) / workers)),
  );
}

/** Starts the workers of this machine, each with its share of the cores and one of the GPUs. */
export function localWorkers(
  tasks: readonly Pick<TrialTask, "config">[],
  { gpus }: Pick<Machine, "gpus">,
  python: UsablePython,
  workers: number,
): (slot: number) => TrialWorker {
  const threads = Math.max(1, ...tasks.map(({ config }) => config.threads ?? 1));
  const cores = allowedCores();
  const shares = cores && workers > 0 ? coreShares(cores, workers, threads) : undefined;
  return (slot) => new LocalWorker({ python, cores: shares?.[slot] ?? null, gpu: gpus > 1 ? slot % gpus : null });
}

/** Trains on this machine, in worker processes that each have their own Python. */
export class LocalExecutor implements Executor {
  readonly name = "local";
  readonly isHere = true;
  readonly #python: UsablePython;

  constructor(python: UsablePython) {
    this.#python = python;
  }

  async machine(onCpuAlone: boolean, signal?: AbortSignal): Promise<Machine> {
    const cores = availableParallelism();
    if (onCpuAlone) return { device: "cpu", gpus: 0, cores };
    const { devices } = (await askTorch(this.#python.path, signal)).environment;
    return { device: devices.cuda.length > 0 ? "cuda" : devices.mps ? "mps" : "cpu", gpus: devices.cuda.length, cores };
  }

  async train({ tasks, machine, workers, listener, signal, failFast, demand }: TrialJob): Promise<void> {
    const startWorker = localWorkers(tasks, machine, this.#python, Math.min(workers, tasks.length));
    await runPool(tasks, { workers, startWorker, listener, signal, failFast, demand });
  }
}
