import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bridge } from "../../../../src/bridge/bridge.js";
import type { TrainingArguments } from "../../../../src/config/training-schema.js";

interface TinyRun {
  norm?: "layernorm" | "rmsnorm";
  seed?: number;
  training?: TrainingArguments;
}

/** Train four steps of a tiny model from one row for all, with a part of the text held out; give the run's directory. */
export async function tinyRun(bridge: Bridge, out: string, { norm = "rmsnorm", seed = 42, training = {} }: TinyRun = {}): Promise<string> {
  const corpus = join(out, "corpus.txt");
  writeFileSync(corpus, "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n".repeat(20));
  const config = { vocab_size: 128, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 16 };
  const model = await bridge.createModel({ config, norm, init: { kind: "singular" }, seed });
  const short: TrainingArguments = { max_steps: 4, per_device_train_batch_size: 4, logging_steps: 2, eval_strategy: "steps", eval_steps: 2 };
  const trainer = await bridge.createTrainer({ model, data: { corpus, held_out: 0.2 }, training: { ...short, ...training }, out });
  return (await trainer.train()).run;
}
