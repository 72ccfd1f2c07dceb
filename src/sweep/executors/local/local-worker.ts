import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { stopLadder } from "../../../python/stop-ladder.js";
import type { TrialEnd, TrialListener, TrialTask, TrialWorker, WorkerPlace } from "../../pool/trial-task.js";
import type { WorkerOrder, WorkerReport, WorkerSetup } from "../../pool/worker-messages.js";

const extension = extname(import.meta.url);
const workerFile = fileURLToPath(new URL(`../../pool/trial-worker${extension}`, import.meta.url));
/** Node runs TypeScript sources (in tests and benches) with a loader only. */
const loader = extension === ".ts" ? ["--import", "jiti/register"] : [];
/** Python leaves within 2 s when it is idle; a worker that takes longer is ended. */
const leaveGraceMs = 10_000;
/** So much of what a worker said on stderr is kept for its last words. */
const keptCharacters = 4000;

/** A worker on this machine: a process of its own with a Python of its own. */
export class LocalWorker implements TrialWorker {
  readonly place: WorkerPlace;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #said = "";
  #listener: TrialListener | undefined;
  #finish: ((end: TrialEnd) => void) | undefined;

  constructor(setup: WorkerSetup) {
    // JSON, so that what crosses is what would cross to another machine. Its Python's output goes to the run, its own stdout would mix with `--json`.
    this.#process = fork(workerFile, [], { execArgv: loader, stdio: ["ignore", "ignore", "pipe", "ipc"], serialization: "json" });
    this.place = { pid: this.#process.pid ?? 0, cores: setup.cores };
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      this.#said = `${this.#said}${chunk.toString()}`.slice(-keptCharacters);
    });
    this.#process.on("message", (report: WorkerReport) => this.#hear(report));
    this.#process.on("error", () => undefined); // an order to one that has gone; its end is told by `close`
    this.#ended = once(this.#process, "close").then(([code, signal]) => this.#afterExit(code, signal));
    this.#send({ kind: "setup", setup });
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async train(task: TrialTask, listener: TrialListener): Promise<TrialEnd> {
    this.#listener = listener;
    const end = await new Promise<TrialEnd>((resolve) => {
      this.#finish = resolve;
      if (this.isAlive) this.#send({ kind: "train", task });
      else this.#afterExit(this.#process.exitCode, this.#process.signalCode);
    });
    this.#listener = undefined;
    return end;
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
    if (report.kind === "started") this.#listener?.onStart(report.run, report.fromStep);
    else if (report.kind === "step") this.#listener?.onStep(report.step, report.loss ?? Number.NaN);
    else this.#settle(report.end);
  }

  #settle(end: TrialEnd): void {
    this.#finish?.(end);
    this.#finish = undefined;
  }

  #afterExit(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `exit code ${code}` : signal;
    const memory = signal === "SIGKILL" ? ", as the system does when memory runs out" : "";
    this.#settle({ kind: "died", reason: `the worker ended with ${how}${memory}${this.#said === "" ? "" : `\n${this.#said.trim()}`}` });
  }
}
