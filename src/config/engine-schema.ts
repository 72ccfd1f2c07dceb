import { z } from "zod";

/** The engines that compute the steps of a run, the default first. Each has a module in `python/bh_bridge/engines/`. */
export const engines = ["trainer", "fast"] as const;

/** Minimum steps of a run that is compiled automatically: from here compiling saves time with a cached step, at the notebook's model size. */
const compiledFromSteps = 250;

export const processesSchema = z.int().min(1).max(1024);
export const batchedRunsSchema = z.int().min(1).max(64);

const processes = processesSchema
  .default(1)
  .describe(
    "Processes that share each batch, on the CPU or with one GPU each. `training.per_device_train_batch_size` is their total. The number changes bits and is recorded.",
  );

const graph = z
  .enum(["auto", "off"])
  .default("auto")
  .describe(
    "On CUDA, replay each step from one CUDA graph. `auto` computes the first steps both ways and uses the graph if it is faster with equal bits. Not part of the hash.",
  );

/** How a step is computed, by engine. `engine: fast` is short for `engine: { name: fast }`. */
export const engineSchema = z
  .discriminatedUnion("name", [
    z.strictObject({
      name: z.literal("trainer").default("trainer").describe("The Trainer of transformers, the reference."),
      exact: z
        .enum(["auto", "off"])
        .default("auto")
        .describe(
          "Faster computation of the same bits, for bfloat16 on the CPU. `auto` computes the first batches both ways and uses it if it is faster with equal bits. Not part of the hash.",
        ),
      graph,
      processes,
    }),
    z.strictObject({
      name: z.literal("fast").describe("A faster implementation of the same step, with other bits. Supports only GPT-2."),
      compile: z
        .enum(["auto", "on", "off"])
        .default("auto")
        .describe(
          `On the CPU, compile the step with the installed C++ compiler. \`auto\` compiles runs of at least ${compiledFromSteps} steps. Compiling changes bits; a resumed run keeps the choice it started with.`,
        ),
      graph,
      batched_runs: batchedRunsSchema
        .default(1)
        .describe(
          "Runs of a sweep or an experiment to compute together in one process, which saves time on a GPU. They may differ in seeds, initial state and `training.learning_rate`. Not compiled. On a GPU the number changes bits.",
        ),
      processes,
    }),
  ])
  .describe("How a step is computed: the name of an engine, or a section with its settings.");

/** The section `engine`, complete. */
export type Engine = z.output<typeof engineSchema>;

/** Whether Python compiles the step, and the reason that the run records. */
export const compilingSchema = z.strictObject({ compile: z.enum(["never", "try", "require"]), reason: z.string() });

/** Whether to compile the step of a run, if the machine can. */
export function compilingOf({ engine, training }: { engine: Engine; training: { max_steps: number } }): z.output<typeof compilingSchema> {
  if (engine.name !== "fast" || engine.batched_runs > 1) return { compile: "never", reason: "batched runs are not compiled" };
  if (engine.compile !== "auto") return { compile: engine.compile === "on" ? "require" : "never", reason: `engine.compile is ${engine.compile}` };
  if (training.max_steps < compiledFromSteps) return { compile: "never", reason: `it pays from ${compiledFromSteps} steps on` };
  return { compile: "try", reason: "it pays for a run of this length" };
}

/** Whether the value at a path is the default setting of an engine. */
export function isEngineDefault(path: string, value: unknown): boolean {
  return engines.some((name) => Object.entries(engineSchema.parse({ name })).some(([field, its]) => path === `engine.${field}` && its === value));
}

/** Number of runs whose steps are computed together. */
export function batchedRuns({ engine }: { engine: Engine }): number {
  return engine.name === "fast" ? engine.batched_runs : 1;
}
