import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

export const projectRoot: string = fileURLToPath(new URL("../", import.meta.url));
const ours = join(projectRoot, ".venv/bin/python");
export const python: string = process.env["BH_BRIDGE_PYTHON"] ?? (existsSync(ours) ? ours : "python3");

/** What one run of a command cost. Seconds and megabytes. */
export interface Measurement {
  code: number;
  /** Time of day at the start. */
  started: number;
  wall: number;
  cpu: number;
  /** Processor time that other processes took meanwhile. */
  other: number;
  peak_mb: number;
  stdout: string;
}

/** A round in which others took more than this part of one processor is measured again: it would compare the machine with itself. */
const contaminatedShare = 0.1;
const maxAttempts = 5;

/** Run a command in a process of its own; again while other processes were busy. */
export async function measure(folder: string, command: readonly string[], env: Record<string, string> = {}): Promise<Measurement> {
  const output = join(folder, "stdout");
  for (let attempt = 1; ; attempt++) {
    const { stdout } = await execa(python, [join(projectRoot, "bench/measured_run.py"), output, ...command], { cwd: projectRoot, env });
    const measured = { ...JSON.parse(stdout), stdout: readFileSync(output, "utf8") } as Measurement;
    if (measured.code !== 0) throw new Error(`${command.join(" ")} ended with exit code ${measured.code}: ${measured.stdout}`);
    const share = measured.other / measured.wall;
    if (share <= contaminatedShare || attempt === maxAttempts) {
      if (share > contaminatedShare) console.log(`  (other processes took ${(100 * share).toFixed(0)} % of a processor in each of ${attempt} attempts)`);
      return measured;
    }
  }
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** `name  median (min to max)`. */
export function spread(name: string, values: readonly number[], unit: string): string {
  return `  ${name.padEnd(34)} ${median(values).toFixed(3)} ${unit} (${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)})`;
}

/** Machine and versions, for the head of a report. */
export async function describeMachine(): Promise<string> {
  const { stdout } = await execa(python, [
    "-c",
    "import sys, torch, transformers; print('Python', sys.version.split()[0] + ', torch', torch.__version__ + ', transformers', transformers.__version__)",
  ]);
  const [cpu] = cpus();
  return `${new Date().toISOString().slice(0, 10)}, ${cpu?.model ?? "unknown CPU"}, ${cpus().length} cores; Node ${process.versions.node}, ${stdout}`;
}
