import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Training, TrialEnd, TrialTask, TrialWorker, WorkerLocation } from "../../pool/trial-task.js";
import type { RayJob, RayReport, RayWorkerSpec } from "./ray-job.js";
import { runChunks } from "./run-transfer.js";

/** A worker without shared storage. */
interface Far {
  job: RayJob;
  worker: string;
}

/** A worker on a Ray cluster: an actor that runs the same process as a local worker. */
export class RayWorker implements TrialWorker {
  readonly #job: RayJob;
  readonly #id: string;
  readonly #ready: Promise<boolean>;
  #location: WorkerLocation = { pid: 0, cores: null };
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

  get location(): WorkerLocation {
    return this.#location;
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
      const far = this.#isShared ? undefined : { job: this.#job, worker: this.#id };
      if (far) await sendRun(training.task, far);
      const end = new Promise<TrialEnd>((resolve) => {
        this.#hear = forwardReports(training, far, resolve);
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
      this.#location = { pid: report.pid, host: report.host, cores: null };
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

async function sendRun({ run }: TrialTask, { job, worker }: Far): Promise<void> {
  if (run === null || !existsSync(run)) return;
  for (const chunk of runChunks(run)) await job.sendChunk(worker, basename(run), chunk);
}

/** Forward the reports of a trial. Progress of a run on a far worker is reported after the run has been fetched. */
function forwardReports({ task, listener }: Training, far: Far | undefined, finish: (end: TrialEnd) => void): (report: RayReport) => void {
  let run: string | undefined;
  let fetching: Promise<void> = Promise.resolve();
  const follow = async (report: Extract<RayReport, { kind: "started" | "saved" | "ended" }>): Promise<void> => {
    if (report.kind === "started") run = join(task.out, basename(report.run));
    if (far && run !== undefined) {
      await far.job.fetchRun(far.worker, basename(run), run);
      if (report.kind === "ended") await far.job.forgetRun(far.worker, basename(run));
    }
    if (report.kind === "started") listener.onStart(run ?? report.run, report.fromStep);
    if (report.kind === "ended") finish("run" in report.end && run !== undefined ? { ...report.end, run } : report.end);
  };
  return (report) => {
    if (report.kind === "step") listener.onStep(report.step, report.loss ?? Number.NaN);
    else if (report.kind === "gone") finish({ kind: "died", reason: report.reason });
    else if (report.kind !== "ready" && report.kind !== "lost") {
      fetching = fetching.then(() => follow(report)); // in order
      fetching.catch((error: Error) => finish({ kind: "died", reason: `its run could not be fetched: ${error.message}` }));
    }
  };
}
