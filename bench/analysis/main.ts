import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine, type Measurement, measure, median, projectRoot, python, spread } from "../measure.js";

/**
 * Counting black holes against `torch.unique(dim=0)`: the timeline of 10,001 states of 128 × 64, and the census of a matrix of 151,936 × 2,560.
 * Ratios of medians, in turn, a fresh process each; one thread each, reading included on our side and left out on torch's.
 */
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const megabyte = 1e6;
const mebibyte = 2 ** 20;

const peerScript = join(projectRoot, "bench/analysis/torch_unique.py");
const ourScript = join(projectRoot, "bench/analysis/counted.mjs");
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-bench-"));
const oneThread = { OMP_NUM_THREADS: "1" };

interface Counted {
  readonly seconds: number;
  /** In millions of bytes. */
  readonly memory: number;
  /** What was counted, to be compared. */
  readonly result: string;
}

function counted({ stdout, peak_mb }: Measurement): Counted {
  const { seconds, ...result } = JSON.parse(stdout) as { seconds: number };
  return { seconds, memory: (peak_mb * mebibyte) / megabyte, result: JSON.stringify(result) };
}

async function compare(kind: "timeline" | "census", file: string, title: string): Promise<void> {
  console.log(`\n${title}`);
  const path = join(folder, file);
  const peer: Counted[] = [];
  const ours: Counted[] = [];
  const plain: Counted[] = [];
  for (let round = 0; round < rounds; round++) {
    peer.push(counted(await measure(folder, [python, peerScript, kind, path], oneThread)));
    ours.push(counted(await measure(folder, [process.execPath, ourScript, kind, path])));
    plain.push(counted(await measure(folder, [process.execPath, ourScript, kind, path, "plain"])));
  }
  const results = new Set([...peer, ...ours, ...plain].map(({ result }) => result));
  if (results.size > 1) throw new Error(`the results differ: ${[...results].join(" and ")}`);
  const seconds = (runs: readonly Counted[]): number[] => runs.map((run) => run.seconds);
  console.log(spread("torch.unique", seconds(peer), "s"));
  console.log(spread("bh-bridge", seconds(ours), "s"));
  console.log(spread("bh-bridge, plain TypeScript", seconds(plain), "s"));
  const ratio = (runs: readonly Counted[]): string => (median(seconds(peer)) / median(seconds(runs))).toFixed(1);
  const memory = (runs: readonly Counted[]): string => Math.max(...runs.map((run) => run.memory)).toFixed(0);
  console.log(`  ${ratio(ours)} times as fast as torch.unique (plain TypeScript ${ratio(plain)} times)`);
  console.log(`  memory of the whole process at its peak: ${memory(ours)} MB, torch ${memory(peer)} MB`);
}

try {
  console.log(await describeMachine());
  console.log(`${rounds} rounds in turn, medians`);
  await measure(folder, [python, peerScript, "make", folder]);
  await compare("timeline", "history.safetensors", "Timeline of 10,001 states of 128 × 64 bfloat16");
  await compare("census", "matrix.safetensors", "Census of 151,936 × 2,560 bfloat16");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
