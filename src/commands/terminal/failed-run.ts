/** The failure of a run that can go on, with the command that does it: the two are told in this order. */
export class FailedRun extends Error {
  /** What can be done now, in one line. */
  readonly next: string;

  constructor(failure: unknown, next: string) {
    super("a run failed", { cause: failure });
    this.next = next;
  }
}
