// One sweep over seeds, as a program trains it; prints a line of JSON: its directory, and what the controller took once it had planned.
//
// usage: pooled.mjs CORPUS STEPS SEEDS WORKERS OUT [ENGINE]
import { sweep } from "../../dist/index.js";

const [corpus, steps, seeds, workers, out, engine = "trainer"] = process.argv.slice(2);
const base = { preset: "rmsnorm-11.2a", engine, device: "cpu", data: { corpus }, training: { max_steps: Number(steps) } };
const running = sweep({ name: "bench", base, seeds: `1..${seeds}` }, { workers: Number(workers), out });
let begun = { cpu: process.cpuUsage(), at: performance.now() };
for await (const { kind } of running) if (kind === "planned") begun = { cpu: process.cpuUsage(), at: performance.now() };
const { directory, counts } = await running.result;
const { user, system } = process.cpuUsage(begun.cpu);
console.log(
  JSON.stringify({ directory, completed: counts.completed, controllerSeconds: (user + system) / 1e6, seconds: (performance.now() - begun.at) / 1000 }),
);
