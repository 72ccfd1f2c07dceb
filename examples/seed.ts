// The notebook's experiment: a GPT-2 with RMSNorm whose embedding rows all start equal. Which of them stay equal?
// Run: npx jiti examples/seed.ts [steps]
import { type LogEvent, TrainerCallback, train } from "bh-bridge";

class PrintLoss extends TrainerCallback {
  override onLog({ global_step, logs }: LogEvent) {
    console.log(`step ${global_step}: loss ${logs["loss"]?.toFixed(4)}`);
  }
}

const steps = Number(process.argv[2] ?? 10_000);
const { result, directory } = await train({ preset: "rmsnorm-11.2a", training: { max_steps: steps } }, { callbacks: [new PrintLoss()] });

const { C, P, populations } = result.census;
console.log(`${C} black holes hold ${P} tokens, ${populations.join(", ")}; ${result.corpus.dead} tokens are dead`);
console.log(`Verdict: ${result.verdict.result}. ${result.verdict.reason}`);
console.log(`Run: ${directory}`);
