import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readEvents } from "../../src/runs/read-events.js";
import { describeMachine, projectRoot, python } from "../measure.js";

/**
 * What a corpus costs by its size: peak memory of Python and of Node, and the time from the command to the end of the first step, for byte tokens and
 * sliding windows. The memory of each process is read from `/proc`, so this runs on Linux only.
 */
const { values } = parseArgs({ options: { megabytes: { type: "string", default: "1,10,100,1000" } } });
const megabyte = 1_000_000;
const line = `${"plain text in lines of fifty bytes".padEnd(49, ".")}\n`;
const sampleMs = 50;

interface Measured {
  nodeBytes: number;
  pythonBytes: number;
  seconds: number;
}

function writeText(path: string, bytes: number): void {
  const block = Buffer.from(line.repeat(megabyte / line.length));
  const file = openSync(path, "w");
  for (let left = bytes; left > 0; left -= block.length) writeSync(file, block, 0, Math.min(left, block.length));
  closeSync(file);
}

/** Peak memory of a process until now; nothing when it is gone. */
function peakBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

async function measured(corpus: string, config: string, out: string, log: string): Promise<Measured> {
  const began = Date.now() / 1000;
  const program = join(projectRoot, "dist/cli.js");
  const said = openSync(log, "w");
  const command = [program, "train", "-c", config, "--corpus", corpus, "--out", out, "--python", python];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", said] });
  let nodeBytes = 0;
  const sampling = setInterval(() => {
    nodeBytes = peakBytes(child.pid ?? 0) ?? nodeBytes;
  }, sampleMs);
  const [code] = await once(child, "exit");
  clearInterval(sampling);
  closeSync(said);
  if (code !== 0) throw new Error(`training on ${corpus} ended with exit code ${code}: ${readFileSync(log, "utf8")}`);
  const [run = ""] = readdirSync(out);
  const events = readEvents(join(out, run));
  const first = events.find(({ type }) => type === "step_end");
  const usage = events.findLast((event) => event.type === "usage");
  return { nodeBytes, pythonBytes: usage?.peak_bytes ?? Number.NaN, seconds: (first?.wall ?? Number.NaN) - began };
}

const folder = mkdtempSync(join(tmpdir(), "bench-corpus-"));
try {
  const config = join(folder, "config.json");
  writeFileSync(
    config,
    JSON.stringify({
      threads: 1,
      device: "cpu",
      model: { n_layer: 1, n_positions: 16 },
      training: { max_steps: 3, per_device_train_batch_size: 2, logging_steps: 1 },
    }),
  );
  console.log(await describeMachine());
  console.log("| text | Python | of it per further byte of text | Node | command to first step |\n|---|---|---|---|---|");
  let first: { size: number; pythonBytes: number } | undefined;
  for (const size of values.megabytes.split(",").map(Number)) {
    const corpus = join(folder, `${size}.txt`);
    writeText(corpus, size * megabyte);
    const { nodeBytes, pythonBytes, seconds } = await measured(corpus, config, join(folder, `runs-${size}`), join(folder, "log"));
    rmSync(corpus);
    first ??= { size, pythonBytes };
    const perByte = size === first.size ? "" : ((pythonBytes - first.pythonBytes) / ((size - first.size) * megabyte)).toFixed(2);
    const megabytes = (bytes: number) => `${Math.round(bytes / megabyte).toLocaleString("en")} MB`;
    console.log(`| ${size.toLocaleString("en")} MB | ${megabytes(pythonBytes)} | ${perByte} | ${megabytes(nodeBytes)} | ${seconds.toFixed(1)} s |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
