import type { SweptRow, SweptScale } from "./swept-row.js";

/** The range of an axis that trials must lie in; both ends belong to it. */
export interface Brush {
  readonly low: string | number;
  readonly high: string | number;
}

/** Brushes by the name of their axis. */
export type Brushes = ReadonlyMap<string, Brush>;

/** Brushes from an address, as `training.learning_rate:0.001:0.003,P:60:77`; parts that are no brush are ignored. */
export function readBrushes(text: string | null): Brushes {
  const parts = (text ?? "").split(",").map((part) => part.split(":").map(decoded));
  return new Map(parts.flatMap(([name, low, high]): [string, Brush][] => (name && low !== undefined && high !== undefined ? [[name, { low, high }]] : [])));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Brushes for an address. */
export function brushText(brushes: Brushes): string {
  return [...brushes].map(([name, { low, high }]) => [name, low, high].map((part) => encodeURIComponent(String(part))).join(":")).join(",");
}

/** The brushes with another one for an axis; null removes it. */
export function withBrush(brushes: Brushes, name: string, brush: Brush | null): Brushes {
  const changed = new Map(brushes);
  if (brush === null) changed.delete(name);
  else changed.set(name, brush);
  return changed;
}

/** Whether a trial is within every brush. Brushes of axes that are not there have no effect. */
export function isWithin(row: SweptRow, brushes: Brushes, scales: readonly SweptScale[]): boolean {
  return scales.every(({ name, rank }) => {
    const brush = brushes.get(name);
    if (!brush) return true;
    const value = row.values[name];
    return value !== undefined && rank(value) >= rank(brush.low) && rank(value) <= rank(brush.high);
  });
}

/** The brush between two positions on an axis; an axis with few values takes those in between, and none if there is no value. */
export function brushBetween({ at, values, isFew, place }: SweptScale, from: number, to: number): Brush | null {
  const [first, last] = [Math.max(0, Math.min(from, to)), Math.min(1, Math.max(from, to))];
  const inside = values.filter((value) => place(value) >= first - 1e-9 && place(value) <= last + 1e-9);
  const [low, high] = [inside[0], inside.at(-1)];
  if (!isFew) return { low: Number(at(first).toPrecision(4)), high: Number(at(last).toPrecision(4)) };
  return low === undefined || high === undefined ? null : { low, high };
}
