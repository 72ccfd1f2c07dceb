import { z } from "zod";
import { runPythonScript } from "./run-python-script.js";

const answerSchema = z.object({
  environment: z.object({
    cpu_capability: z.string(),
    threads: z.int(),
    devices: z.object({ cuda: z.array(z.string()), mps: z.boolean() }),
  }),
  training_arguments: z.array(z.string()),
  gpt2_config: z.array(z.string()),
});

/** What torch and transformers say once they are imported: devices, threads, and the names of the fields of `TrainingArguments` and `GPT2Config`. */
export type TorchAnswer = z.infer<typeof answerSchema>;

/** The imports take 2 s, from a cold network disk a minute; this stops one that hangs, as with a broken GPU driver. */
const importTimeoutMs = 180_000;

/** Import torch and transformers in an interpreter and ask what they find; about 2 s. Throws as `probePython` does. */
export async function askTorch(path: string, signal?: AbortSignal): Promise<TorchAnswer> {
  return answerSchema.parse(await runPythonScript(path, { file: "scripts/doctor.py", timeoutMs: importTimeoutMs, signal }));
}
