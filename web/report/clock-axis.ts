import type { Axis } from "../../src/figures/figure.js";
import type { RunClock } from "../../src/runs/run-clock.js";
import { type ClockPart, clockReading } from "../src/chart/axis.js";

/** What the axis of steps is read by. */
export type AxisBy = "steps" | ClockPart;

const mostTicks = 6;
/** Before it, all decades lie on each other. */
const firstStep = 1;

/** An axis of steps whose ticks say the epoch, or the time of training; its places are still those of the steps. It stays as it is where the clock tells no epochs. */
export function clockAxis(axis: Axis, clock: RunClock, by: ClockPart, [from, to]: readonly [number, number]): Axis {
  const reading = clockReading(clock, by);
  if (!reading) return axis;
  const [low, high] = [reading.of(from), reading.of(to)];
  const unit = by === "seconds" ? unitOf(high) : { name: null, size: 1 };
  const isLog = axis.scale === "symlog";
  const values = (isLog ? decades(high / unit.size) : evenly(low / unit.size, high / unit.size)).filter((value) => value * unit.size >= low);
  const ticks = values.map((value) => ({
    at: reading.back(value * unit.size),
    text: Number(value.toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 8 }),
  }));
  return {
    ...axis,
    label: by === "epochs" ? "epoch" : "time of training",
    unit: unit.name,
    ticks: ticks.filter(({ at }) => at >= (isLog ? Math.max(from, firstStep) : from) && at <= to),
  };
}

/** The epoch and the time of a step, in words; the time alone, where the run tells no epochs. */
export function clockWords(clock: RunClock, step: number): string {
  const seconds = clockReading(clock, "seconds")?.of(step) ?? 0;
  const { name, size } = unitOf(seconds);
  const epochs = clockReading(clock, "epochs");
  const epoch = epochs ? `epoch ${Number(epochs.of(step).toPrecision(3))}, ` : "";
  return `${epoch}${Number((seconds / size).toPrecision(3))} ${name}`;
}

function unitOf(seconds: number): { name: string; size: number } {
  if (seconds < 120) return { name: "s", size: 1 };
  return seconds < 7200 ? { name: "min", size: 60 } : { name: "h", size: 3600 };
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function evenly(low: number, high: number): number[] {
  const rough = (high - low) / mostTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, index) => (first + index) * step);
}

/** Powers of ten up to a value. */
function decades(high: number): number[] {
  const last = Math.floor(Math.log10(high));
  return Array.from({ length: mostTicks }, (_, index) => 10 ** (last - index)).reverse();
}
