import { z } from "zod";
import { census } from "../analysis/census/census.js";
import { Counts, distributionSchema } from "../analysis/document-fields.js";
import { callArguments } from "../bridge/call-arguments.js";
import { configInvalid } from "../config/config-invalid.js";
import { type InitInput, initSchema } from "../config/init-schema.js";
import { dtypeSchema } from "../config/models/family.js";
import { gpt2ModelSchema } from "../config/models/gpt2-model.js";
import { parseRunConfig } from "../config/parse-run-config.js";
import { Matrix } from "../formats/matrix.js";
import { resolvePython } from "../python/require-packages.js";
import { drawStates } from "../python/run-python-script.js";

const mostDraws = 10_000_000;

/** Which initial states are drawn, and how many. */
export interface SimulateOptions {
  /** As `init` of a configuration, but for the kind `file`. */
  readonly init: InitInput;
  /** 1,000 when left out. */
  readonly draws?: number | undefined;
  /** As `model.dtype` of a configuration: bfloat16 when left out. */
  readonly dtype?: z.input<typeof dtypeSchema> | undefined;
  /** Rows and columns of a state: 128 × 64 when left out. */
  readonly vocab?: number | undefined;
  readonly dim?: number | undefined;
  /** Of the one random stream; 42 when left out. */
  readonly seed?: number | undefined;
  /** Path of an interpreter; found by itself when left out. */
  readonly python?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
}

const runArguments = z.strictObject({
  draws: z.int().min(1).max(mostDraws).default(1000),
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z.custom<(done: number) => void>((value) => typeof value === "function").optional(),
});

/** What is drawn, checked as a run's configuration is. */
function checkedState({ init, dtype, vocab, dim, seed }: Pick<SimulateOptions, "init" | "dtype" | "vocab" | "dim" | "seed">) {
  const model = { dtype, vocab_size: vocab, n_embd: dim, n_head: 1 };
  const given = Object.fromEntries(Object.entries(model).filter(([, value]) => value !== undefined));
  const config = parseRunConfig({ init, model: given, ...(seed !== undefined && { seed }) });
  if (config.init.kind === "file") throw configInvalid([{ path: "init.kind", message: "the rows of a file are not drawn: look at them with census" }]);
  return config;
}

/** How the black holes of initial states are distributed that nobody has trained. */
export const simulationSchema = z.strictObject({
  init: initSchema,
  dtype: dtypeSchema,
  vocab: z.int(),
  dim: z.int(),
  seed: z.int(),
  draws: z.int(),
  withBlackHoles: z.int().describe("Draws with a black hole, of all of them"),
  C: distributionSchema,
  P: distributionSchema,
  unique: distributionSchema,
  largest: distributionSchema.describe("Tokens in the largest black hole of a draw, 0 where it has none"),
  populations: distributionSchema.describe("Tokens in a black hole, over all black holes of all draws"),
});
export type Simulation = z.output<typeof simulationSchema>;

/**
 * Draw initial states without a training, and count their black holes.
 *
 * Torch draws them, all in one process and from one random stream of the CPU that `seed` begins: for each state what a run draws, in its order. A run draws its
 * model before its embedding, so no state is that of the run with the same seed; the distribution is the same.
 * @throws {BhBridgeError} `CONFIG_INVALID` for fields that the kind has not; `PYTHON_NOT_FOUND`, `PYTHON_DEPENDENCY_MISSING`, `ABORTED`.
 */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  const { init: wanted, dtype: narrow, vocab: rows, dim: columns, seed: begin, ...others } = options;
  const { draws, python, signal, onProgress } = callArguments("simulate", runArguments, others);
  const config = checkedState({ init: wanted, dtype: narrow, vocab: rows, dim: columns, seed: begin });
  const { init, seed } = config;
  const { dtype, vocab_size: vocab, n_embd: dim, initializer_range } = gpt2ModelSchema.parse(config.model);
  const { path } = await resolvePython(python === undefined ? {} : { python }, signal);
  const stored = dtype === "float32" ? "F32" : "BF16";
  const counted = { C: new Counts(), P: new Counts(), unique: new Counts(), largest: new Counts(), populations: new Counts() };
  let withBlackHoles = 0;
  let done = 0;
  for await (const bytes of drawStates(path, { init, dtype, vocab, dim, initializer_range, seed, draws }, vocab * dim * (stored === "F32" ? 4 : 2), signal)) {
    const { C, P, unique, populations } = census(new Matrix(stored, [vocab, dim], bytes));
    counted.C.add(C);
    counted.P.add(P);
    counted.unique.add(unique);
    counted.largest.add(populations[0] ?? 0);
    for (const population of populations) counted.populations.add(population);
    if (C > 0) withBlackHoles++;
    onProgress?.(++done);
  }
  const distributions = {
    C: counted.C.distribution(),
    P: counted.P.distribution(),
    unique: counted.unique.distribution(),
    largest: counted.largest.distribution(),
    populations: counted.populations.distribution(),
  };
  return { init, dtype, vocab, dim, seed, draws, withBlackHoles, ...distributions };
}
