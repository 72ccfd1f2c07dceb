import { BhBridgeError } from "../../errors.js";
import { count } from "../../text/format.js";
import type { TrialDemand } from "../executors/executor.js";
import { hasEnded } from "../ledger.js";
import type { Question } from "../plan/plan.js";
import type { JudgedEvent, SweepTrial } from "../sweep-document.js";
import { type ExperimentRun, readExperimentRun } from "./read-experiment-run.js";
import { type SequentialArm, type SequentialEvidence, sequentialEvidence } from "./sequential.js";

type Cell = Question["cells"][number];

/** What follows from the evidence of a sequential experiment. */
export interface DemandHooks {
  states(): readonly SweepTrial[];
  /** A trial that is not being trained is not needed. */
  skip(trial: string, reason: string): void;
  /** A skipped trial is needed again, because more pairs are planned. */
  plan(trial: string): void;
  report(event: JudgedEvent): void;
}

/**
 * The trials that a sequential experiment still needs. After every complete pair, in plan order, it judges each arm and releases the trials of arms that need
 * no further pair. The control is needed as long as one arm is.
 */
export class UntilDecided implements TrialDemand {
  readonly #question: Question;
  readonly #hooks: DemandHooks;
  readonly #signal: AbortSignal;
  readonly #needs = new Map<string, AbortController>();
  readonly #runs = new Map<string, ExperimentRun>();
  /** Trials that failed without a result in this start. Later pairs of their arm are not looked at. */
  readonly #failed = new Set<string>();
  #arms: readonly SequentialArm[] = [];
  #judging: Promise<void> = Promise.resolve();
  #problem: unknown;

  /** @param signal ends the reading of runs. */
  constructor(question: Question, hooks: DemandHooks, signal: AbortSignal) {
    this.#question = question;
    this.#hooks = hooks;
    this.#signal = signal;
    for (const { trial } of question.cells) this.#needs.set(trial, new AbortController());
  }

  /** Judge what an earlier start has trained. @param retry whether failed trials are trained again. @throws {BhBridgeError} as `readExperimentRun`. */
  async start(retry: boolean): Promise<void> {
    if (!retry) for (const { trial, status, result } of this.#hooks.states()) if (status === "failed" && result === null) this.#failed.add(trial);
    await this.#judge();
    for (const { trial, status } of this.#hooks.states()) if (status === "skipped" && !this.signalOf(trial).aborted) this.#hooks.plan(trial);
  }

  /** Consider a trial that has ended. */
  ended({ trial, status, result }: Pick<SweepTrial, "trial" | "status" | "result">): void {
    if (status === "failed" && result === null) this.#failed.add(trial);
    if (!hasEnded(status)) this.#skip();
    else this.#judging = this.#judging.then(() => this.#judge()).catch((error: unknown) => this.#giveUp(error));
  }

  async settled(): Promise<void> {
    await this.#judging;
  }

  signalOf(trial: string): AbortSignal {
    const { signal } = this.#needs.get(trial) ?? {};
    if (!signal) throw new Error(`the plan has no trial ${trial}`);
    return signal;
  }

  /** Wait for the last judgement. @throws {BhBridgeError} as `readExperimentRun`. */
  async finish(): Promise<void> {
    await this.settled();
    if (this.#problem !== undefined) throw this.#problem;
  }

  /** Read the runs of new pairs, and release what is not needed. */
  async #judge(): Promise<void> {
    if (this.#signal.aborted || this.#problem !== undefined) return;
    const { arms, seeds, rules, cells } = this.#question;
    const ended = new Map(this.#hooks.states().flatMap(({ trial, run, result }) => (run !== null && result !== null ? [[trial, run] as const] : [])));
    for (const { arm, trial } of cells) {
      const run = ended.get(trial);
      if (run === undefined || this.#runs.has(trial)) continue;
      this.#runs.set(trial, await readExperimentRun(run, arm, rules.decides, { signal: this.#signal }));
    }
    const [control = "", ...treatments] = arms;
    const trialOf = new Map(cells.map((cell) => [JSON.stringify([cell.arm, cell.seed]), cell.trial]));
    const isPending = (arm: string, seed: number) => !this.#failed.has(trialOf.get(JSON.stringify([arm, seed])) ?? "");
    const evidence = sequentialEvidence({ rules, seeds, control, treatments, runs: [...this.#runs.values()] }, { isPending });
    for (const each of evidence.arms) {
      const before = this.#arms.find(({ arm }) => arm === each.arm);
      if (each.pairs > (before?.pairs ?? 0)) this.#hooks.report(judgedEvent(each, evidence));
    }
    this.#arms = evidence.arms;
    for (const cell of cells) if (!this.#isNeeded(cell)) this.#needs.get(cell.trial)?.abort();
    this.#skip();
  }

  /** Record the released trials that are not being trained. */
  #skip(): void {
    for (const { trial, arm, status } of this.#hooks.states()) {
      const isIdle = status === "planned" || status === "lost";
      if (isIdle && this.signalOf(trial).aborted && this.#isJudged(arm)) this.#hooks.skip(trial, this.#reasonOf(arm));
    }
  }

  #isNeeded({ arm, seed }: Cell): boolean {
    const [control, ...treatments] = this.#question.arms;
    const wanted = arm === control ? treatments : [arm];
    const at = this.#question.seeds.indexOf(seed);
    return wanted.some((each) => this.#stateOf(each) === "undecided" && at < this.#gapOf(each));
  }

  /** Position of the first seed whose pair cannot be completed, because a trial failed. */
  #gapOf(arm: string): number {
    const { arms, seeds, cells } = this.#question;
    const failed = cells.filter((cell) => (cell.arm === arm || cell.arm === arms[0]) && this.#failed.has(cell.trial));
    return Math.min(...failed.map(({ seed }) => seeds.indexOf(seed)), seeds.length);
  }

  #stateOf(arm: string): SequentialArm["state"] {
    return this.#arms.find((each) => each.arm === arm)?.state ?? "undecided";
  }

  /** Whether an arm needs no further pair; for the control, whether no arm does. Otherwise a failed trial prevents the next pair. */
  #isJudged(arm: string | undefined): boolean {
    const [control, ...treatments] = this.#question.arms;
    return (arm === control ? treatments : [arm ?? ""]).every((each) => this.#stateOf(each) !== "undecided");
  }

  #reasonOf(arm: string | undefined): string {
    const [control] = this.#question.arms;
    const ofControl = [...this.#arms].sort((one, other) => other.pairs - one.pairs)[0];
    const { state, pairs } = (arm === control ? ofControl : this.#arms.find((each) => each.arm === arm)) ?? { state: "undecided", pairs: 0 };
    const after = `after ${pairs} of ${count(this.#question.seeds.length, "pair")}`;
    return state === "hopeless" ? `stopped ${after}: further pairs cannot decide` : `decided ${after}`;
  }

  /** A run that cannot be read ends the experiment. */
  #giveUp(error: unknown): void {
    if (this.#signal.aborted && error instanceof BhBridgeError) return;
    this.#problem = error;
    for (const need of this.#needs.values()) need.abort();
  }
}

/** The evidence of an arm after its last pair. */
function judgedEvent({ arm, pairs, state, result, measures }: SequentialArm, { maximum, threshold }: SequentialEvidence): JudgedEvent {
  const e = Math.max(0, ...measures.map(({ corrected }) => corrected.at(-1) ?? 0));
  const eNull = Math.min(...measures.map(({ eNull }) => eNull.at(-1) ?? 0));
  return { kind: "judged", arm, pairs, maximum, e, threshold, eNull, state, result };
}
