import { type Command, InvalidArgumentError } from "commander";
import type { SimulateOptions, Simulation } from "../runner/simulate.js";
import { count, figure, groupDigits, percent, type TextColors } from "../text/format.js";
import { wrap } from "../text/wrap.js";
import type { SimulateDocument } from "./documents.js";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import { createProgress } from "./terminal/progress.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { table } from "./terminal/table.js";
import { Terminal } from "./terminal/terminal.js";

interface SimulateCommandOptions extends CommonOptions {
  sigma?: number;
  noiseDtype?: string;
  dtype?: string;
  draws: number;
  vocab?: number;
  dim?: number;
  seed?: number;
  engine?: string;
  python?: string;
}

export function simulateCommand(): Command {
  return createCommand("simulate", "Draw initial states without training and count their black holes", "bh-bridge simulate snowball --sigma 1e-5 --draws 1000")
    .argument("<kind>", "initial state, as init.kind: normal, singular, snowball, unit-noise")
    .option("--sigma <s>", "standard deviation of the noise on each component, as init.sigma", parseNumber)
    .option("--noise-dtype <dtype>", "dtype of unit-noise, as init.noise_dtype: float32 or bfloat16")
    .option("--dtype <dtype>", "dtype of the weights, as model.dtype: bfloat16, float32, float32-master (default: bfloat16)")
    .option("--draws <n>", "number of states", parseNumber, 1000)
    .option("--vocab <n>", "rows of a state (default: 128)", parseNumber)
    .option("--dim <n>", "components of a row (default: 64)", parseNumber)
    .option("--seed <n>", "seed of the random stream (default: 42)", parseNumber)
    .option("--engine <name>", "whose random numbers to draw: trainer or portable (default: trainer)")
    .option("--python <path>", "Python interpreter")
    .action(simulateInTerminal);
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number, such as 1000 or 1e-5.");
  return value;
}

async function simulateInTerminal(kind: string, { sigma, noiseDtype, dtype, draws, vocab, dim, seed, engine, python, ...common }: SimulateCommandOptions) {
  const terminal = new Terminal(common);
  const { simulate } = await import("../runner/simulate.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the simulation" });
  using progress = createProgress(terminal, "Drawing", "states", draws);
  const init = Object.fromEntries(Object.entries({ kind, sigma, noise_dtype: noiseDtype }).filter(([, value]) => value !== undefined));
  const onProgress = (done: number) => progress.update(done);
  const options = { init, dtype, draws, vocab, dim, seed, engine, python, signal: stop.signal, onProgress }; // checked by the schema of simulate
  const document: SimulateDocument = { schema: "bh-bridge/simulate@1", ...(await simulate(options as SimulateOptions)) };
  progress.stop();
  terminal.document(document);
  terminal.print(formatSimulation(document, terminal.color, terminal.width));
}

/** Format a simulation: a line per quantity. */
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
