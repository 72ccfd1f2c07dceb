// Plot the loss in the terminal while the model is trained.
// Run: npx jiti examples/live-loss-plot.ts [steps]
import { Bridge } from "bh-bridge";

const steps = Number(process.argv[2] ?? 1000);
const { columns = 80, isTTY } = process.stdout;
const [width, height] = [Math.min(columns - 8, steps), 12];

/** The plot as text, from the highest loss to the lowest; each column is the mean of its steps. */
function plot(losses: readonly number[]): string {
  const perColumn = Math.ceil(steps / width);
  const means = Array.from({ length: Math.ceil(losses.length / perColumn) }, (_, column) => {
    const part = losses.slice(column * perColumn, (column + 1) * perColumn);
    return part.reduce((sum, loss) => sum + loss, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const rowOf = (loss: number) => Math.round(((high - loss) / (high - low || 1)) * (height - 1));
  const rows = Array.from({ length: height }, (_, row) => {
    const label = (high - (row / (height - 1)) * (high - low)).toFixed(3).padStart(7);
    return `${label} ${means.map((loss) => (rowOf(loss) === row ? "•" : " ")).join("")}`;
  });
  return rows.join("\n");
}

await using bridge = await Bridge.start();
const model = await bridge.createModel({ config: {}, init: { kind: "normal" } });
const trainer = await bridge.createTrainer({ model, training: { max_steps: steps } });

const events = trainer.events(); // before training, so that none is missed
const training = trainer.train();
const losses: number[] = [];
let drawn = 0;
for await (const event of events) {
  if (event.type !== "step_end") continue;
  losses.push(event.loss);
  if (!isTTY || performance.now() - drawn < 200) continue;
  if (drawn > 0) process.stdout.write(`\x1b[${height}A`); // move up, to overwrite the previous plot
  process.stdout.write(`${plot(losses)}\n`);
  drawn = performance.now();
}
if (drawn > 0) process.stdout.write(`\x1b[${height}A`);
console.log(plot(losses));
console.log(`${(await training).steps.done} steps, last loss ${losses.at(-1)?.toFixed(4)}`);
