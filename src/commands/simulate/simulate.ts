import { type Command, InvalidArgumentError } from "commander";
import type { SimulateOptions } from "../../runner/simulate.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { createProgress } from "../terminal/progress.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import { Terminal } from "../terminal/terminal.js";
import type { SimulateDocument } from "./simulate-document.js";

interface SimulateCommandOptions extends CommonOptions {
  sigma?: number;
  noiseDtype?: string;
  dtype?: string;
  draws: number;
  vocab?: number;
  dim?: number;
  seed?: number;
  python?: string;
}

/** `bh-bridge simulate KIND`: the black holes of initial states, without a training. */
export function simulateCommand(): Command {
  return createCommand("simulate", "Draw initial states without training and count their black holes", "bh-bridge simulate snowball --sigma 1e-5 --draws 1000")
    .argument("<kind>", "initial state, as init.kind: normal, singular, snowball, unit-noise")
    .option("--sigma <s>", "standard deviation of the noise on each component, as init.sigma", parseNumber)
    .option("--noise-dtype <dtype>", "what unit-noise is drawn in, as init.noise_dtype: float32 or bfloat16")
    .option("--dtype <dtype>", "dtype of the weights, as model.dtype: bfloat16 (by default), float32, float32-master")
    .option("--draws <n>", "how many states to draw", parseNumber, 1000)
    .option("--vocab <n>", "rows of a state; 128 by default", parseNumber)
    .option("--dim <n>", "components of a row; 64 by default", parseNumber)
    .option("--seed <n>", "of the random stream; 42 by default", parseNumber)
    .option("--python <path>", "Python interpreter")
    .action(simulateInTerminal);
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It is a number, such as 1000 or 1e-5.");
  return value;
}

async function simulateInTerminal(kind: string, { sigma, noiseDtype, dtype, draws, vocab, dim, seed, python, ...common }: SimulateCommandOptions) {
  const terminal = new Terminal(common);
  const [{ simulate }, { formatSimulation }] = await Promise.all([import("../../runner/simulate.js"), import("./format-simulation.js")]);
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the simulation" });
  const progress = createProgress(terminal, "Drawing", "states", draws);
  const fields = { kind, sigma, noise_dtype: noiseDtype };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  // What the kinds and dtypes are is for the schema to say, with the reason where one is wrong.
  const options = {
    init: Object.fromEntries(given),
    dtype,
    draws,
    vocab,
    dim,
    seed,
    python,
    signal: stop.signal,
    onProgress: (done: number) => progress.update(done),
  };
  try {
    const document: SimulateDocument = { schema: "bh-bridge/simulate@1", ...(await simulate(options as SimulateOptions)) };
    progress.stop();
    terminal.document(document);
    terminal.print(formatSimulation(document, terminal.color, terminal.width));
  } finally {
    progress.stop();
  }
}
