import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { stopLadder } from "../../../python/session-end.js";
import type { Training, TrialEnd, TrialListener, TrialWorker, WorkerPlace } from "../../pool/trial-task.js";
import type { WorkerOrder, WorkerReport, WorkerSetup } from "../../pool/worker-channel.js";

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
  /** Of the trials that are trained now, by their places. */
  #underWay: ({ listener: TrialListener; finish: (end: TrialEnd) => void } | undefined)[] = [];

  /** @param program what the process runs; the worker that trains, when left out. */
  constructor(setup: WorkerSetup, program: string = workerFile) {
    // JSON, so that what crosses is what would cross to another machine. Its Python's output goes to the run, its own stdout would mix with `--json`.
    this.#process = fork(program, [], { execArgv: loader, stdio: ["ignore", "ignore", "pipe", "ipc"], serialization: "json" });
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

  async train(trainings: readonly Training[]): Promise<TrialEnd[]> {
    const ends = Promise.all(
      trainings.map(
        ({ listener }, place) =>
          new Promise<TrialEnd>((resolve) => {
            this.#underWay[place] = { listener, finish: resolve };
          }),
      ),
    );
    if (this.isAlive) this.#send({ kind: "train", tasks: trainings.map(({ task }) => task) });
    else this.#afterExit(this.#process.exitCode, this.#process.signalCode);
    return ends;
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
    const trial = this.#underWay[report.place];
    if (report.kind === "started") trial?.listener.onStart(report.run, report.fromStep);
    else if (report.kind === "step") trial?.listener.onStep(report.step, report.loss ?? Number.NaN);
    else {
      this.#underWay[report.place] = undefined;
      trial?.finish(report.end);
    }
  }

  #afterExit(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `exit code ${code}` : signal;
    const memory = signal === "SIGKILL" ? ", as the system does when memory runs out" : "";
    const end: TrialEnd = { kind: "died", reason: `the worker ended with ${how}${memory}${this.#said === "" ? "" : `\n${this.#said.trim()}`}` };
    for (const trial of this.#underWay.splice(0)) trial?.finish(end);
  }
}
