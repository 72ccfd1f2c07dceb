import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { containedFile } from "../formats/contained-file.js";
import { type TrainEvent, trainEventSchema } from "../protocol/events.js";
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
    let fd: number;
    try {
      fd = openSync(containedFile(this.#directory, runFiles.events), "r");
    } catch {
      return; // a run that has not got that far
    }
    try {
      if (!this.#isContinued(fd)) this.#forget();
      this.#read(fd);
    } finally {
      closeSync(fd);
    }
  }

  #isContinued(fd: number): boolean {
    if (fstatSync(fd).size < this.#position) return false;
    const before = Buffer.alloc(this.#tail.length);
    readSync(fd, before, 0, before.length, this.#position - before.length);
    return before.equals(this.#tail);
  }

  #forget(): void {
    this.#time = new TrainingTime();
    this.#position = 0;
    this.#tail = Buffer.alloc(0);
    this.steps.length = 0;
    this.events.length = 0;
  }

  #read(fd: number): void {
    let rest = Buffer.alloc(0);
    for (let at = this.#position; ; ) {
      const piece = Buffer.alloc(pieceBytes);
      const count = readSync(fd, piece, 0, pieceBytes, at);
      if (count === 0) break;
      at += count;
      const bytes = Buffer.concat([rest, piece.subarray(0, count)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      if (end > 0) {
        for (const line of bytes
          .subarray(0, end - 1)
          .toString("utf8")
          .split("\n"))
          this.#take(line);
        this.#tail = Buffer.from(bytes.subarray(Math.max(0, end - tailBytes), end));
        this.#position += end;
      }
      rest = Buffer.from(bytes.subarray(end));
    }
  }

  #take(line: string): void {
    const step = stepLine.exec(line);
    if (step) {
      const seconds = this.#time.upTo({ type: "step_end", mono: Number(step[1]) });
      this.steps.push({ step: Number(step[2]), seconds, epoch: step[3] === "null" ? null : Number(step[3]), loss: Number(step[4]) });
      return;
    }
    try {
      const event = trainEventSchema.parse(JSON.parse(line));
      const seconds = this.#time.upTo(event);
      if (event.type === "step_end") this.steps.push({ step: event.global_step, seconds, epoch: event.epoch, loss: event.loss });
      else this.events.push(event);
    } catch {
      // Damage is told by "bh-bridge runs verify"; the page shows what can be read.
    }
  }
}

/** A step as Python writes it; one in another form is read as JSON. */
const stepLine =
  /^\{"seq": \d+, "mono": ([\d.e+-]+), "wall": [\d.e+-]+, "type": "step_end", "global_step": (\d+), "epoch": ([\d.e+-]+|null), "loss": ([\d.e+-]+)\}$/;
