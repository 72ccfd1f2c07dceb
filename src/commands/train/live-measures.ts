import type { RunConfig } from "../../config/run-config-schema.js";
import { readRunConfig } from "../../runs/run-config.js";
import { pruneFacts } from "../../sweep/prune/prune-facts.js";
import { Sparkline } from "../../text/sparkline.js";

/** Black holes of a large vocabulary are counted in tens of milliseconds: once a second is enough to see them come and go, and costs nothing. */
const countEveryMs = 1000;
const widestCourse = 24;
const narrowestCourse = 4;
const gap = "   ";

/** What is shown of a training, in its order. */
type Measure = "loss" | "C" | "P";

/** Loss, C and P of a training as it goes on, each with its course so far. C and P are those of the recorded rows, and left out where no row is recorded. */
export class LiveMeasures {
  readonly #directory: string;
  readonly #record: RunConfig["record"];
  readonly #courses = new Map<Measure, Sparkline>();
  readonly #newest = new Map<Measure, string>();
  #countedAt = Number.NEGATIVE_INFINITY;

  /** @param directory of the run. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#record = readRunConfig(directory).record;
  }

  /** Take the loss of a step, and now and then count the black holes after it. */
  take(step: number, loss: number): void {
    this.#push("loss", loss, loss.toFixed(4));
    const now = performance.now();
    if (now - this.#countedAt < countEveryMs) return;
    this.#countedAt = now;
    const holes = this.#count(step, loss);
    if (!holes) return;
    this.#push("C", holes.C, String(holes.C));
    this.#push("P", holes.P, String(holes.P));
  }

  /** `loss █▅▃▂▁ 3.4123   C ▁▁█ 2   P █▅▁ 53`, in so many columns where that leaves each course a few. */
  line(columns: number): string {
    const measures = [...this.#newest];
    const words = measures.reduce((sum, [name, newest]) => sum + name.length + newest.length + 2, gap.length * (measures.length - 1));
    const width = Math.min(widestCourse, Math.max(narrowestCourse, Math.floor((columns - words) / measures.length)));
    const course = (name: Measure) => this.#courses.get(name)?.draw(width) ?? "";
    return measures.map(([name, newest]) => [name, course(name), newest].filter((word) => word !== "").join(" ")).join(gap);
  }

  #push(name: Measure, value: number, newest: string): void {
    const course = this.#courses.get(name) ?? new Sparkline();
    this.#courses.set(name, course);
    course.push(value);
    this.#newest.set(name, newest);
  }

  /** Nothing where no embedding is recorded, or it cannot be read just now: what is shown must not end a training. */
  #count(step: number, loss: number): { C: number; P: number } | undefined {
    try {
      return pruneFacts(this.#directory, this.#record, step, 0, loss);
    } catch {
      return undefined;
    }
  }
}
