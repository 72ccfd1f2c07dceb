// Stop as soon as the loss is low enough. Training waits for a decider, but never for an observer.
// Run: npx jiti examples/early-stopping.ts [steps] [loss]
import { Bridge, type Decider, type LogEvent, TrainerCallback } from "bh-bridge";

const steps = Number(process.argv[2] ?? 2000);
const goodEnough = Number(process.argv[3] ?? 3);

class StopWhenGood extends TrainerCallback {
  override decide: Decider = {
    every: 10,
    timeoutMs: 1000, // then training continues without an answer
    ask: ({ global_step, loss }) => {
      if (loss < goodEnough) console.log(`loss ${loss.toFixed(4)} at step ${global_step}, low enough`);
      return { should_training_stop: loss < goodEnough };
    },
  };

  override onLog({ global_step, logs }: LogEvent) {
    console.log(`step ${global_step}: loss ${logs["loss"]?.toFixed(4)}`);
  }
}

await using bridge = await Bridge.start();
const model = await bridge.createModel({ config: {}, norm: "rmsnorm", init: { kind: "normal" } });
const trainer = await bridge.createTrainer({ model, training: { max_steps: steps, logging_steps: 20 }, callbacks: [new StopWhenGood()] });
const { status, reason, steps: taken } = await trainer.train();
console.log(`${status}${reason ? ` by the ${reason}` : ""} after ${taken.done} of ${taken.planned} steps`);
