// Many short trials on a Ray cluster of three nodes on loopback, one node killed in the middle: does every trial come to the bits that it has here, and what
// does the head's memory do meanwhile?
//
//   npm run bench:ray -- --trials 200 --steps 5 [--kill]
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { parseArgs } from "node:util";
import { sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { marked, run, start, temporaryFolder } from "../../tests/e2e/program.js";
import { LoopbackCluster } from "../../tests/e2e/ray-cluster.js";
import { tensorBytes } from "../../tests/e2e/tensor-bytes.js";

const { values } = parseArgs({
  options: { trials: { type: "string", default: "200" }, steps: { type: "string", default: "5" }, kill: { type: "boolean", default: false } },
});
const trials = Number(values.trials);
const steps = Number(values.steps);
using folder = temporaryFolder();
const file = join(folder.path, "many.json");
const base = {
  device: "cpu",
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: steps, per_device_train_batch_size: 4, logging_steps: steps },
  checkpoint: { every: Math.max(1, Math.floor(steps / 4)) },
};
writeFileSync(file, JSON.stringify({ base, seeds: `1..${trials}` }));

/** Memory of the processes of the head that Ray's own services are, in MB: the workers and what they start left out. */
async function headMemory(mark: string): Promise<number> {
  const sizes = (await marked(mark)).map((pid) => {
    try {
      const [command, status] = ["cmdline", "status"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8"));
      const isService = /gcs_server|dashboard|raylet|monitor/.test(command ?? "");
      return isService ? Number(/VmRSS:\s+(\d+)/.exec(status ?? "")?.[1] ?? 0) : 0;
    } catch {
      return 0; // it has ended meanwhile
    }
  });
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

const cluster = await LoopbackCluster.start(2);
try {
  const out = join(folder.path, "ray");
  const args = ["sweep", file, "--out", out, "--json", "--workers", "2", "--executor", "ray", "--address", cluster.address];
  const began = performance.now();
  const controller = start(args);
  const ended = controller.then(() => true);
  const lines = () => {
    try {
      return readFileSync(join(out, readdirSync(out)[0] ?? "", "ledger.jsonl"), "utf8").split('"completed"').length - 1;
    } catch {
      return 0;
    }
  };
  let isKilled = !values.kill;
  let [told, least, most] = [0, Number.POSITIVE_INFINITY, 0];
  while (!(await Promise.race([ended, after(2000, false)]))) {
    const [done, memory] = [lines(), await headMemory(cluster.markOf(0))];
    if (done > 0) [least, most] = [Math.min(least, memory), Math.max(most, memory)];
    if (done >= told) {
      console.log(`${done} of ${trials} trials after ${((performance.now() - began) / 1000).toFixed(0)} s: the head's services take ${memory.toFixed(0)} MB`);
      told = done + Math.ceil(trials / 10);
    }
    if (!isKilled && done >= trials / 3) {
      await cluster.kill(2);
      isKilled = true;
      console.log("a node is killed");
    }
  }
  const { stdout } = await controller;
  const document = sweepDocumentSchema.parse(JSON.parse(String(stdout)));
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${document.counts.completed} of ${trials} completed in ${seconds.toFixed(0)} s; head between ${least.toFixed(0)} and ${most.toFixed(0)} MB; jobs: ${(await cluster.jobs()).join(", ")}`,
  );
  const here = sweepDocumentSchema.parse(JSON.parse((await run(["sweep", file, "--out", join(folder.path, "here"), "--json"])).stdout));
  const history = (directory: string | null) => tensorBytes(join(directory ?? "", "history.safetensors"), "embedding_history");
  const equal = here.trials.filter(({ run: directory }, index) => history(directory).equals(history(document.trials[index]?.run ?? null))).length;
  console.log(`${equal} of ${trials} have the bits of this machine's`);
  process.exitCode = equal === trials ? 0 : 1;
} finally {
  await cluster.close();
}
