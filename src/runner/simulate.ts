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

/** Options of `simulate`. */
export interface SimulateOptions {
  /** As `init` of a configuration, except the kind `file`. */
  readonly init: InitInput;
  /** Number of states (default: 1,000). */
  readonly draws?: number | undefined;
  /** As `model.dtype` of a configuration (default: bfloat16). */
  readonly dtype?: z.input<typeof dtypeSchema> | undefined;
  /** Rows of a state (default: 128). */
  readonly vocab?: number | undefined;
  /** Columns of a state (default: 64). */
  readonly dim?: number | undefined;
  /** Seed of the random stream (default: 42). */
  readonly seed?: number | undefined;
  /** Whose random numbers to draw: `portable` has the same bits on every machine (default: trainer). */
  readonly engine?: z.input<typeof engineSchema> | undefined;
  /** Path of an interpreter (default: the first usable one). */
  readonly python?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
}

const engineSchema = z.enum(["trainer", "portable"]);

const runArguments = z.strictObject({
  draws: z.int().min(1).max(mostDraws).default(1000),
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z.custom<(done: number) => void>((value) => typeof value === "function").optional(),
});

function checkedState({ init, dtype, vocab, dim, seed, engine }: Pick<SimulateOptions, "init" | "dtype" | "vocab" | "dim" | "seed" | "engine">) {
  const model = { dtype, vocab_size: vocab, n_embd: dim, n_head: 1 };
  const given = Object.fromEntries(Object.entries(model).filter(([, value]) => value !== undefined));
  const config = parseRunConfig({ init, model: given, ...(engine !== undefined && { engine }), ...(seed !== undefined && { seed }) });
  if (config.init.kind === "file") throw configInvalid([{ path: "init.kind", message: "the rows of a file are not drawn: inspect them with census" }]);
  return config;
}

/** Distributions of the black holes of untrained initial states. */
export const simulationSchema = z.strictObject({
  init: initSchema,
  dtype: dtypeSchema,
  vocab: z.int(),
  dim: z.int(),
  seed: z.int(),
  engine: engineSchema.optional().describe("Whose random numbers were drawn; omitted by earlier versions, which drew those of trainer."),
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
 * Draw initial states without training, and count their black holes.
 *
 * torch, or the C code of engine `portable`, draws them, all in one process and from one random stream of the CPU that `seed` begins: for each state what a run
 * draws, in its order. A run draws its
 * model before its embedding, so no state is that of the run with the same seed; the distribution is the same.
 * @throws {BhBridgeError} `CONFIG_INVALID` for fields that the kind has not; `PYTHON_NOT_FOUND`, `PYTHON_DEPENDENCY_MISSING`, `ABORTED`.
 */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  const { init: _init, dtype: _dtype, vocab: _vocab, dim: _dim, seed: _seed, engine: _engine, ...others } = options;
  const { draws, python, signal, onProgress } = callArguments("simulate", runArguments, others);
  const config = checkedState(options);
  const { init, seed } = config;
  const engine = engineSchema.parse(config.engine.name);
  const { dtype, vocab_size: vocab, n_embd: dim, initializer_range } = gpt2ModelSchema.parse(config.model);
  const { path } = await resolvePython(python === undefined ? {} : { python }, signal);
  const stored = dtype === "float32" ? "F32" : "BF16";
  const counted = { C: new Counts(), P: new Counts(), unique: new Counts(), largest: new Counts(), populations: new Counts() };
  let withBlackHoles = 0;
  let done = 0;
  for await (const bytes of drawStates(
    path,
    { init, dtype, vocab, dim, initializer_range, seed, engine, draws },
    vocab * dim * (stored === "F32" ? 4 : 2),
    signal,
  )) {
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
  return { init, dtype, vocab, dim, seed, engine, draws, withBlackHoles, ...distributions };
}
