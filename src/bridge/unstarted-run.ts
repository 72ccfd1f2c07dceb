import { atExit } from "../python/at-exit.js";
import type { RunRecord } from "./run-record.js";

/** The directory of a run whose training has not begun. It goes with whatever ends first: its trainer, its Python, or Node. */
export class UnstartedRun {
  #record: RunRecord | undefined;
  #isGone = false;
  readonly #forgetExit: () => void;

  /** @param ended settles when Python has ended. */
  constructor(record: RunRecord, ended: Promise<unknown>) {
    this.#record = record;
    this.#forgetExit = atExit(() => this.discard());
    void ended.then(() => this.discard());
  }

  /** The training has begun: from now on the run stays. */
  begin(): void {
    this.#record = undefined;
    this.#forgetExit();
  }

  /** Remove the directory of a training that has not begun; whether it is gone, by this call or by an earlier one. */
  discard(): boolean {
    const record = this.#record;
    this.begin();
    record?.discard();
    this.#isGone ||= record !== undefined;
    return this.#isGone;
  }
}
