import { z } from "zod";

/** The engines that compute the steps of a run, the default first. Each has a module in `python/bh_bridge/engines/`. */
export const engines = ["trainer", "fast", "portable"] as const;

/** Version of the recipe in `native/README.md` that engine `portable` computes; BH_RECIPE in `native/portable.h`. */
export const portableRecipe = 1;

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
      name: z.literal("fast").describe("A faster implementation of the same step for GPUs, with other bits. Supports only GPT-2."),
      // The hash contains it, so that configurations of earlier versions keep theirs.
      compile: z
        .enum(["auto", "on", "off"])
        .default("auto")
        .meta({ deprecated: true, description: "Has no effect. Earlier versions compiled the step on the CPU, where `fast` is no longer supported." }),
      graph,
      batched_runs: batchedRunsSchema
        .default(1)
        .describe(
          "Runs of a sweep or an experiment to compute together in one process, which saves time on a GPU. They may differ in seeds, initial state and `training.learning_rate`. The number changes bits.",
        ),
      processes,
    }),
    z.strictObject({
      name: z
        .literal("portable")
        .describe(
          "The same bits on every CPU, with any number of threads and any version of PyTorch. Supports GPT-2, Llama and Qwen3 in bfloat16 with AdamW, on the CPU.",
        ),
    }),
  ])
  .describe("How a step is computed: the name of an engine, or a section with its settings.");

/** The section `engine`, complete. */
export type Engine = z.output<typeof engineSchema>;

/** Whether the value at a path is the default setting of an engine. */
export function isEngineDefault(path: string, value: unknown): boolean {
  return engines.some((name) => Object.entries(engineSchema.parse({ name })).some(([field, its]) => path === `engine.${field}` && its === value));
}

/** Number of processes that share each batch. */
export function processesOf({ engine }: { engine: Engine }): number {
  return engine.name === "portable" ? 1 : engine.processes;
}

/** Number of runs whose steps are computed together. */
export function batchedRuns({ engine }: { engine: Engine }): number {
  return engine.name === "fast" ? engine.batched_runs : 1;
}
