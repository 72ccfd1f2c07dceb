// Train a model, generate text, and save the model for transformers.
// Run: npx jiti examples/train-generate-save.ts [steps] [directory]
import { Bridge } from "bh-bridge";

const steps = Number(process.argv[2] ?? 1000);
const directory = process.argv[3] ?? "trained-model";

await using bridge = await Bridge.start();
await using model = await bridge.createModel({ config: {}, norm: "rmsnorm", init: { kind: "normal" }, seed: 7 });
await using trainer = await bridge.createTrainer({
  model,
  data: { label_shift: "causal", held_out: 0.05 }, // causal: it learns the next byte, so it can generate
  training: { max_steps: steps },
});
await trainer.train();
const { loss, perplexity } = await trainer.evaluate();
console.log(`held-out loss ${loss.toFixed(3)}, perplexity ${perplexity.toFixed(1)}`);

const prompt = "In my younger ";
const tokens = await model.generate([...Buffer.from(prompt)], { max_new_tokens: 80, do_sample: true, temperature: 0.8, seed: 1 });
console.log(Buffer.from(tokens).toString("ascii"));

await trainer.saveModel(directory, { overwrite: true });
console.log(`In Python: AutoModelForCausalLM.from_pretrained("${directory}", trust_remote_code=True)`);
