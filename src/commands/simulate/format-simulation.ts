import type { TextColors } from "../../config/text-colors.js";
import type { Simulation } from "../../runner/simulate.js";
import { count } from "../../text/count.js";
import { figure } from "../../text/figure.js";
import { groupDigits } from "../../text/group-digits.js";
import { percent } from "../../text/percent.js";
import { wrap } from "../../text/wrap.js";
import { table } from "../terminal/table.js";

/** A simulation for people: a line a quantity. */
export function formatSimulation(simulation: Simulation, color: TextColors, width?: number): string {
  const { init, dtype, vocab, dim, draws, withBlackHoles } = simulation;
  const { kind, ...fields } = init;
  const settings = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  const rows = (["C", "P", "unique", "largest", "populations"] as const).map((name) => {
    const { min, median, mean, sd, max } = simulation[name];
    return [name, ...[min, median, mean, sd, max].map(figure)];
  });
  const lines = [
    `${color.bold([kind, ...settings].join(", "))}: ${count(draws, "draw")} of ${groupDigits(vocab)} × ${groupDigits(dim)}, ${dtype}`,
    `${groupDigits(withBlackHoles)} of them (${percent(withBlackHoles / draws)}) have a black hole`,
    table(["", "min", "median", "mean", "sd", "max"], rows, { width, indent: 2 }),
  ];
  return wrap(lines.join("\n"), width);
}
