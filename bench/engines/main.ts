import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { census } from "../../src/analysis/census/census.js";
import { deadTokensOf } from "../../src/commands/terminal/rows-option.js";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { openRun, type Run } from "../../src/runner/open-run.js";
import { readEvents } from "../../src/runs/read-events.js";
import { describeMachine, projectRoot, python } from "../measure.js";

/**
 * How far engine `portable` is from the reference: the same configurations trained by both, one thread each, compared state by state. The distance of two
 * seeds of the reference stands beside it, so that one can see what it means. Nothing is timed.
 *
 *   npm run bench:engines -- [--engine NAME] [--corpus FILE] [--steps 1000] [--seeds 2]
 */
const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "portable" },
    corpus: { type: "string" },
    steps: { type: "string", default: "300" },
    seeds: { type: "string", default: "2" },
  },
});
const corpus = values.corpus ?? builtInPath();
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => 42 + index);
const starts: Readonly<Record<string, readonly string[]>> = {
  singular: ["init.kind=singular"],
  snowball: ["init.kind=snowball", "init.sigma=1e-5"],
  "unit-noise": ["init.kind=unit-noise", "init.sigma=1e-5"],
};
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-bench-"));

/** What is compared of a run. */
interface Trained {
  losses: number[];
  /** C and P of every state. */
  counts: [C: number, P: number][];
  /** Of every state: into how many different rows the dead tokens fall. */
  deadRows: number[];
  displacement: number;
}

async function train(engine: string, norm: string, start: string, seed: number): Promise<Trained> {
  const settings = [`model.norm=${norm}`, ...(starts[start] ?? [])].flatMap((one) => ["--set", one]);
  const options = [
    "--engine",
    engine,
    "--seed",
    String(seed),
    "--steps",
    values.steps,
    "--corpus",
    corpus,
    "--threads",
    "1",
    "--device",
    "cpu",
    "--python",
    python,
  ];
  const out = ["--out", join(folder, `${engine}-${norm}-${start}-${seed}`), "--json"];
  const { stdout } = await execa(process.execPath, [join(projectRoot, "dist/cli.js"), "train", "--preset", "rmsnorm-11.2a", ...options, ...settings, ...out]);
  const { run: directory } = JSON.parse(stdout) as { run: string };
  return examine(await openRun(directory), directory);
}

async function examine(run: Run, directory: string): Promise<Trained> {
  const dead = await deadTokensOf(directory, corpus, 128);
  const counts: [number, number][] = [];
  const deadRows: number[] = [];
  for await (const { matrix } of run.history()) {
    const { C, P } = census(matrix);
    counts.push([C, P]);
    deadRows.push(census(matrix, dead).unique);
  }
  const losses = readEvents(directory).flatMap((event) => (event.type === "step_end" ? [event.loss] : []));
  const { displacement } = await run.result();
  return { losses, counts, deadRows, displacement: displacement.float64 ?? Number.NaN };
}

function meansPerHundred(losses: readonly number[]): number[] {
  const means: number[] = [];
  for (let from = 0; from + 100 <= losses.length; from += 100) means.push(losses.slice(from, from + 100).reduce((sum, loss) => sum + loss) / 100);
  return means;
}

function farthest(one: readonly number[], other: readonly number[]): number {
  return one.length === 0 ? Number.NaN : Math.max(...one.map((value, index) => Math.abs(value - (other[index] ?? Number.NaN))));
}

/** A row of the table: `name | farthest loss of a step | of means of 100 steps | states whose C or P differ | whose dead rows differ | displacement`. */
function row(name: string, one: Trained, other: Trained): string {
  const differing = (differ: (state: number) => boolean) => one.counts.filter((_, state) => differ(state)).length;
  const counts = differing((state) => String(one.counts[state]) !== String(other.counts[state]));
  const dead = differing((state) => one.deadRows[state] !== other.deadRows[state]);
  const ends = [one, other].map((run) => `C = ${run.counts.at(-1)?.[0]}, P = ${run.counts.at(-1)?.[1]}`);
  const cells = [
    farthest(one.losses, other.losses).toFixed(4),
    farthest(meansPerHundred(one.losses), meansPerHundred(other.losses)).toFixed(5),
    `${counts} of ${one.counts.length}`,
    String(dead),
    Math.abs(one.displacement - other.displacement).toFixed(5),
    ends[0] === ends[1] ? `${ends[0]} in both` : ends.join("; "),
  ];
  return `| ${[name, ...cells].join(" | ")} |`;
}

try {
  console.log(`Engine ${values.engine} against the reference, ${values.steps} steps, 1 thread, seeds ${seeds.join(", ")}\n${await describeMachine()}\n`);
  console.log("| start, norm, what | loss of a step | mean loss of 100 steps | states with other C or P | with other dead rows | displacement | at the end |");
  console.log("|---|---|---|---|---|---|---|");
  for (const start of Object.keys(starts)) {
    for (const norm of ["rmsnorm", "layernorm"]) {
      const references: Trained[] = [];
      for (const seed of seeds) {
        const reference = await train("trainer", norm, start, seed);
        references.push(reference);
        console.log(row(`${start}, ${norm}, seed ${seed}: ${values.engine}`, await train(values.engine, norm, start, seed), reference));
      }
      const [first, second] = references;
      if (first && second) console.log(row(`${start}, ${norm}: another seed`, second, first));
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
