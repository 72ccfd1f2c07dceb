import { containedFile, FileBytes } from "../formats/file-bytes.js";
import { storedEventSchema, type TrainEvent } from "../protocol/events.js";
import { mostLineBytes } from "../runs/read-events.js";
import { type StepTime, TrainingTime } from "../runs/run-clock.js";
import { runFiles } from "../runs/run-layout.js";

/** One step, as far as a chart needs it. */
interface LoggedStep extends StepTime {
  readonly loss: number;
}

const pieceBytes = 256 * 1024;
/** So much of what was read is compared before reading goes on: a resumed run cuts its log back and writes it anew. */
const tailBytes = 96;

/** The event log of a run, read once and then only where it has grown. A line that is damaged is passed over. */
export class RunLog {
  readonly #directory: string;
  readonly steps: LoggedStep[] = [];
  /** All events but those of single steps. */
  readonly events: Exclude<TrainEvent, { type: "step_end" }>[] = [];
  #time = new TrainingTime();
  #position = 0;
  #tail = Buffer.alloc(0);

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Read what has been written since. */
  update(): void {
    let log: FileBytes;
    try {
      log = new FileBytes(containedFile(this.#directory, runFiles.events));
    } catch {
      return; // a run that has not got that far, or something else than a file
    }
    try {
      if (!this.#isContinued(log)) this.#forget();
      this.#read(log);
    } finally {
      log.close();
    }
  }

  #isContinued(log: FileBytes): boolean {
    if (log.size < this.#position) return false;
    return Buffer.from(log.read(this.#position - this.#tail.length, this.#tail.length, "its lines")).equals(this.#tail);
  }

  #forget(): void {
    this.#time = new TrainingTime();
    this.#position = 0;
    this.#tail = Buffer.alloc(0);
    this.steps.length = 0;
    this.events.length = 0;
  }

  #read(log: FileBytes): void {
    let begun: Uint8Array[] = []; // of a line whose end is not read yet
    for (let at = this.#position; at < log.size; ) {
      const piece = Buffer.from(log.read(at, Math.min(pieceBytes, log.size - at), "its lines").buffer);
      at += piece.length;
      const end = piece.lastIndexOf(0x0a) + 1;
      if (end === 0) {
        begun.push(piece);
        continue;
      }
      const lines = Buffer.concat([...begun, piece.subarray(0, end)]);
      for (const line of lines.toString("utf8", 0, lines.length - 1).split("\n")) this.#take(line);
      this.#tail = Buffer.from(lines.subarray(Math.max(0, lines.length - tailBytes)));
      this.#position += lines.length;
      begun = [piece.subarray(end)];
    }
    const unfinished = log.size - this.#position;
    if (unfinished <= mostLineBytes) return;
    this.#position = log.size; // no event is so long: it is not read again and again
    this.#tail = Buffer.from(log.read(this.#position - tailBytes, tailBytes, "its lines"));
  }

  #take(line: string): void {
    try {
      const event = storedEventSchema.parse(JSON.parse(line));
      const seconds = this.#time.upTo(event);
      if (event.type === "step_end") this.steps.push({ step: event.global_step, seconds, epoch: event.epoch, loss: event.loss });
      else this.events.push(event);
    } catch {
      // Damage is told by "bh-bridge runs verify"; the page shows what can be read.
    }
  }
}
