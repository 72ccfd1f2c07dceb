import type { Axis } from "../figure.js";

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Where an axis has its ticks, and how they are written; undefined where the drawing library knows best. */
export function axisTicks(
  { scale, ticks }: Axis,
  [low, high]: readonly [number, number],
  room: number,
): { at: number[]; text: (value: number) => string } | undefined {
  if (ticks) return { at: ticks.map(({ at }) => at), text: (value) => ticks.find(({ at }) => at === value)?.text ?? "" };
  if (scale === "log") return { at: logTicks(low, high, room), text: powerText };
  if (scale === "symlog") return { at: symlogTicks(low, high, room), text: (value) => value.toLocaleString("en") };
  return undefined;
}

/** Powers of ten, every second or third where there are many; their simple multiples where there are few. */
function logTicks(low: number, high: number, room: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  if (powers.length < 3) {
    const multiples = powers.length < 2 ? [1, 2, 3, 5, 7] : [1, 3];
    const around = [first - 1, ...powers, last + 1].flatMap((power) => multiples.map((multiple) => multiple * 10 ** power));
    return [...new Set(around)].filter((value) => value >= low && value <= high);
  }
  const every = Math.ceil(powers.length / room);
  return powers.filter((power) => power % every === 0).map((power) => 10 ** power);
}

/** 0, powers of ten and three times these, as there is room; and the last value. */
function symlogTicks(low: number, high: number, room: number): number[] {
  const powers = Array.from({ length: Math.max(0, Math.ceil(Math.log10(Math.max(high, 1)))) }, (_, power) => 10 ** power);
  const inside = (values: readonly number[]) => values.filter((value) => value >= low && value < high * 0.6);
  const fine = inside([0, ...powers.flatMap((power) => [power, 3 * power])]);
  return [...(fine.length < room ? fine : inside([0, ...powers])), high];
}

/** `0.01`, `100`, `10⁻⁶`, `3 × 10⁻⁶`. */
function powerText(value: number): string {
  if (value >= 0.001 && value < 100_000) return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 6 });
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  const factor = Number((value / 10 ** exponent).toPrecision(3));
  const power = `10${exponent < 0 ? "⁻" : ""}${[...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]).join("")}`;
  return factor === 1 ? power : `${factor} × ${power}`;
}
