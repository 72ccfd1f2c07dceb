import { z } from "zod";

/** The engines that compute the steps of a run, the default first. Each has a module in `python/bh_bridge/engines/`. */
export const engines = ["trainer", "fast"] as const;

/** Runs of at least this many steps are compiled automatically: from here on it pays where the compiled step is cached, at the notebook's size. */
const compiledFromSteps = 250;

export const processesSchema = z.int().min(1).max(1024);
export const batchedRunsSchema = z.int().min(1).max(64);

const processes = processesSchema
  .default(1)
  .describe(
    "Processes that share each batch (`training.per_device_train_batch_size` is that of all of them together): on the CPU, or one GPU each. The number changes bits and is recorded.",
  );

const graph = z
  .enum(["auto", "off"])
  .default("auto")
  .describe(
    "On CUDA: replay the whole step from one CUDA graph. `auto` computes the first steps both ways and uses the graph if all bits are equal and it is faster. Not part of the hash.",
  );

/** How a step is computed, by the name of the engine. A file may give the name alone: `engine: fast`. */
export const engineSchema = z
  .discriminatedUnion("name", [
    z.strictObject({
      name: z.literal("trainer").default("trainer").describe("HF's Trainer, the reference."),
      exact: z
        .enum(["auto", "off"])
        .default("auto")
        .describe(
          "A faster way to the same bits, for bfloat16 on the CPU: `auto` computes the first batches both ways and uses it if all bits are equal and it is faster. Not part of the hash.",
        ),
      graph,
      processes,
    }),
    z.strictObject({
      name: z.literal("fast").describe("Computes the same step by hand, faster, with other bits. Supports only GPT-2."),
      compile: z
        .enum(["auto", "on", "off"])
        .default("auto")
        .describe(
          `On the CPU: compile the step with the installed C++ compiler. \`auto\` compiles runs of at least ${compiledFromSteps} steps. It changes bits, and a resumed run keeps the way that it began with.`,
        ),
      graph,
      batched_runs: batchedRunsSchema
        .default(1)
        .describe(
          "Number of runs of a sweep or an experiment to compute in one process, each product for all of them at once; they may differ in seeds, initial state and `training.learning_rate`. For GPUs: on a CPU it does not pay. Not compiled. On a GPU the number changes bits.",
        ),
      processes,
    }),
  ])
  .describe("How a step is computed: the name of an engine, or a section with its settings.");

/** The section `engine`, complete. */
export type Engine = z.output<typeof engineSchema>;

/** What a request says of compiling: whether Python compiles the step, and the reason that the run records. */
export const compilingSchema = z.strictObject({ compile: z.enum(["never", "try", "require"]), reason: z.string() });

/** Whether the step of a run is compiled, where the machine can do so. */
export function compilingOf({ engine, training }: { engine: Engine; training: { max_steps: number } }): z.output<typeof compilingSchema> {
  if (engine.name !== "fast" || engine.batched_runs > 1) return { compile: "never", reason: "batched runs are not compiled" };
  if (engine.compile !== "auto") return { compile: engine.compile === "on" ? "require" : "never", reason: `engine.compile is ${engine.compile}` };
  if (training.max_steps < compiledFromSteps) return { compile: "never", reason: `it pays from ${compiledFromSteps} steps on` };
  return { compile: "try", reason: "it pays for a run of this length" };
}

/** Whether the value at a path is the default of a setting of some engine. */
export function isEngineDefault(path: string, value: unknown): boolean {
  return engines.some((name) => Object.entries(engineSchema.parse({ name })).some(([field, its]) => path === `engine.${field}` && its === value));
}

/** The number of runs whose steps are computed together. */
export function batchedRuns({ engine }: { engine: Engine }): number {
  return engine.name === "fast" ? engine.batched_runs : 1;
}
