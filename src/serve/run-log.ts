import { containedFile, FileBytes } from "../formats/file-bytes.js";
import { storedEventSchema, type TrainEvent } from "../protocol/events.js";
import { mostLineBytes } from "../runs/read-events.js";
import { type StepTime, TrainingTime } from "../runs/run-clock.js";
import { runFiles } from "../runs/run-layout.js";
import type { Line } from "./state-measures.js";

type LoggedStep = StepTime & { readonly loss: number };

const pieceBytes = 256 * 1024;
/** Bytes that are compared before reading continues: a resumed run truncates and rewrites its log. */
const tailBytes = 96;

/** The event log of a run, read incrementally. Damaged lines are skipped. */
export class RunLog {
  readonly #directory: string;
  readonly steps: LoggedStep[] = [];
  readonly events: Exclude<TrainEvent, { type: "step_end" }>[] = [];
  #time = new TrainingTime();
  #position = 0;
  #tail = Buffer.alloc(0);

  constructor(directory: string) {
    this.#directory = directory;
  }

  update(): void {
    let log: FileBytes;
    try {
      log = new FileBytes(containedFile(this.#directory, runFiles.events));
    } catch {
      return; // no log yet, or not a file
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
    let begun: Uint8Array[] = []; // of an incomplete line
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
    this.#position = log.size; // no event is that long: skip it instead of reading it repeatedly
    this.#tail = Buffer.from(log.read(this.#position - tailBytes, tailBytes, "its lines"));
  }

  #take(line: string): void {
    try {
      const event = storedEventSchema.parse(JSON.parse(line));
      const seconds = this.#time.upTo(event);
      if (event.type === "step_end") this.steps.push({ step: event.global_step, seconds, epoch: event.epoch, loss: event.loss });
      else this.events.push(event);
    } catch {
      // "bh-bridge runs verify" reports damage; the page shows the readable events.
    }
  }
}

/** Steps per second over intervals of at least a second. Interruptions are omitted. */
export function rateOf(steps: RunLog["steps"]): Line {
  const x: number[] = [];
  const y: number[] = [];
  let begun = steps[0];
  for (const step of steps) {
    if (!begun || step.step <= begun.step) begun = step;
    const seconds = step.seconds - begun.seconds;
    if (seconds < 1) continue;
    if (seconds < 60) {
      x.push(step.step);
      y.push((step.step - begun.step) / seconds);
    }
    begun = step;
  }
  return { x, y };
}
