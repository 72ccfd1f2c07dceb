// Start from your own initial state: two clusters of equal rows instead of one. Do both stay black holes?
// Run: npx jiti examples/custom-init.ts [steps]
import { Bridge, census, Matrix, openRun } from "bh-bridge";

const steps = Number(process.argv[2] ?? 500);
const embedding = "transformer.wte.weight";

/** `[rows, columns]`, float32: even rows are one unit vector, odd rows its opposite. */
function twoClusters(rows: number, columns: number): Matrix {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) values.fill((row % 2 === 0 ? 1 : -1) / Math.sqrt(columns), row * columns, (row + 1) * columns);
  return new Matrix("F32", [rows, columns], new Uint8Array(values.buffer));
}

await using bridge = await Bridge.start();
await using model = await bridge.createModel({ config: { vocab_size: 128, n_embd: 64 }, norm: "rmsnorm", init: { kind: "normal" } });
await model.setTensor(embedding, twoClusters(128, 64)); // rounded to the model's bfloat16
const show = (when: string, { unique, C, P }: { unique: number; C: number; P: number }) => console.log(`${when}: ${unique} distinct rows, C = ${C}, P = ${P}`);
show("before", census(await model.tensor(embedding)));

await using trainer = await bridge.createTrainer({ model, training: { max_steps: steps } });
const { run } = await trainer.train();
for await (const { step, matrix } of (await openRun(run)).history()) {
  if (step % Math.ceil(steps / 5) === 0) show(`step ${step}`, census(matrix));
}
