import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Training, TrialEnd, TrialListener, TrialTask, TrialWorker, WorkerPlace } from "../../pool/trial-task.js";
import type { RayJob, RayReport, RayWorkerSpec } from "./ray-job.js";
import { runChunks } from "./run-transfer.js";

/** A worker on a Ray cluster: an actor that runs the same process as a local worker. */
export class RayWorker implements TrialWorker {
  readonly #job: RayJob;
  readonly #id: string;
  readonly #ready: Promise<boolean>;
  #place: WorkerPlace = { pid: 0, cores: null };
  #isShared = true;
  #isAlive = true;
  #lastWords = "";
  #become: (isReady: boolean) => void = () => undefined;
  #hear: ((report: RayReport) => void) | undefined;
  #isStopped = false;

  constructor(job: RayJob, id: string, spec: RayWorkerSpec) {
    this.#job = job;
    this.#id = id;
    this.#ready = new Promise((resolve) => {
      this.#become = resolve;
    });
    job.start(id, spec, (report) => this.#onReport(report)).catch((error: Error) => this.#die(error.message));
  }

  get place(): WorkerPlace {
    return this.#place;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** One after another; `requireStacks` refuses batched runs for this executor. */
  async train(trainings: readonly Training[]): Promise<TrialEnd[]> {
    const ends: TrialEnd[] = [];
    for (const training of trainings) ends.push(await this.#train(training));
    return ends;
  }

  async #train(training: Training): Promise<TrialEnd> {
    try {
      if (!(await this.#ready)) return this.#death();
      if (this.#isStopped) return { kind: "stopped" };
      const here = new RayTraining(training, this.#isShared ? undefined : { job: this.#job, worker: this.#id });
      await here.sendRun();
      const end = new Promise<TrialEnd>((resolve) => {
        this.#hear = (report) => here.hear(report, resolve);
      });
      if (this.#isAlive) await this.#job.order(this.#id, { kind: "train", tasks: [training.task] });
      else return this.#death();
      return this.#asLost(await end);
    } catch (error) {
      this.#die(error instanceof Error ? error.message : String(error));
      return this.#death();
    } finally {
      this.#hear = undefined;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#become(true); // nobody waits for a slot any more
    void this.#job.order(this.#id, { kind: "stop" }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#job.close(this.#id);
  }

  #onReport(report: RayReport): void {
    if (report.kind === "ready") {
      this.#place = { pid: report.pid, host: report.host, cores: null };
      this.#isShared = report.shared;
      this.#become(true);
    } else if (report.kind === "gone" || report.kind === "lost") this.#die(report.reason);
    else this.#hear?.(report);
  }

  #die(reason: string): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#lastWords = reason;
    this.#become(false);
    this.#hear?.({ kind: "gone", reason });
  }

  #death(): TrialEnd {
    return this.#asLost({ kind: "died", reason: this.#lastWords });
  }

  /** A worker that ends with its job has not died itself. */
  #asLost(end: TrialEnd): TrialEnd {
    const { loss } = this.#job;
    return loss !== undefined && end.kind === "died" ? { kind: "lost", reason: loss.message } : end;
  }
}

/** One trial of a worker. Its run is written here by the worker, or fetched from it. */
class RayTraining {
  readonly #task: TrialTask;
  readonly #listener: TrialListener;
  readonly #far: { job: RayJob; worker: string } | undefined;
  #run: string | undefined;
  #fetching: Promise<void> = Promise.resolve();

  constructor({ task, listener }: Training, far: { job: RayJob; worker: string } | undefined) {
    this.#task = task;
    this.#listener = listener;
    this.#far = far;
  }

  /** Send a worker without shared storage the run to resume. */
  async sendRun(): Promise<void> {
    const { run } = this.#task;
    if (!this.#far || run === null || !existsSync(run)) return;
    for (const chunk of runChunks(run)) await this.#far.job.sendChunk(this.#far.worker, basename(run), chunk);
  }

  hear(report: RayReport, finish: (end: TrialEnd) => void): void {
    if (report.kind === "step") this.#listener.onStep(report.step, report.loss ?? Number.NaN);
    else if (report.kind === "gone") finish({ kind: "died", reason: report.reason });
    else if (report.kind !== "ready" && report.kind !== "lost") {
      this.#fetching = this.#fetching.then(() => this.#follow(report, finish)); // in order
      this.#fetching.catch((error: Error) => finish({ kind: "died", reason: `its run could not be fetched: ${error.message}` }));
    }
  }

  /** Report progress of a run after the run has been fetched. */
  async #follow(report: Extract<RayReport, { kind: "started" | "saved" | "ended" }>, finish: (end: TrialEnd) => void): Promise<void> {
    if (report.kind === "started") this.#run = join(this.#task.out, basename(report.run));
    await this.#fetch(report.kind === "ended");
    if (report.kind === "started") this.#listener.onStart(this.#run ?? report.run, report.fromStep);
    if (report.kind === "ended") finish(this.#asHere(report.end));
  }

  async #fetch(isOver: boolean): Promise<void> {
    if (!this.#far || this.#run === undefined) return;
    const { job, worker } = this.#far;
    await job.fetchRun(worker, basename(this.#run), this.#run);
    if (isOver) await job.forgetRun(worker, basename(this.#run));
  }

  #asHere(end: TrialEnd): TrialEnd {
    return "run" in end && this.#run !== undefined ? { ...end, run: this.#run } : end;
  }
}
