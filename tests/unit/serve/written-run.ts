import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { writeHistory } from "../../../src/compare/rerecord.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { presets } from "../../../src/config/presets.js";
import type { History } from "../../../src/formats/history.js";
import { packIndexRecord } from "../../../src/formats/index-record.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { runConfigText } from "../../../src/runs/run-config.js";
import { runManifestText } from "../../../src/runs/run-manifest.js";
import { pin } from "../runs/environment-pin.js";

/** A run that no training has written, of a size that a test can check by hand. */
interface WrittenRun {
  folder: string;
  /** Name of its directory. */
  id: string;
  name?: string;
  seed?: number;
  steps?: number;
  dims?: number;
  status?: "running" | "completed" | "stopped";
}

/** Rows of a written run; the last few of them become one from the middle of the run on. */
export const writtenRows = 128;
export const deadRows: readonly number[] = [120, 121, 122, 123, 124, 125, 126, 127];

/** A component of a state before rounding to bfloat16: a slow turn, different for every row. */
function component(state: number, row: number, dim: number, steps: number): number {
  const isFallen = deadRows.includes(row) && state > steps / 2;
  const own = isFallen ? 120 : row;
  return Math.sin(own * 12.9898 + dim * 78.233) + (isFallen ? 0 : 0.3 * Math.sin(state / (20 + (own % 7)) + dim));
}

/** The loss that a written run tells of a step. */
export function writtenLoss(step: number, seed: number): number {
  return 1.5 + 3.3 * Math.exp(-step / 40) + 0.05 * Math.sin(step * (1 + seed));
}

/** Write a run. @returns its directory. */
export function writeRun({ folder, id, name = id, seed = 0, steps = 60, dims = 8, status = "completed" }: WrittenRun): string {
  const directory = join(folder, id);
  mkdirSync(directory, { recursive: true });
  const config = parseRunConfig({ ...presets.quick.input, name, seed, training: { ...presets.quick.input.training, max_steps: steps } });
  writeFileSync(join(directory, "config.json"), runConfigText(config, directory));
  const manifest = {
    format: 1,
    min_reader: 1,
    name,
    preset: "quick",
    status,
    reason: status === "stopped" ? "signal" : null,
    created: new Date(Date.UTC(2026, 0, 1, 0, 0, seed)).toISOString(),
    ended: status === "running" ? null : "2026-01-02T00:00:00.000Z",
    package_version: "0.2.0",
    config_hash: "0".repeat(64),
    parameters: 1000,
    environment: pin,
    corpus: {
      path: "/text.txt",
      sha256: "0".repeat(64),
      bytes: 1000,
      characters: 1000,
      filtered: 0,
      tokens: 1000,
      distinct: writtenRows - deadRows.length,
      dead: deadRows.length,
      deadTokens: [...deadRows],
      windows: 900,
    },
    seconds: steps / 10,
    git: null,
    resumes: [],
    start_from: null,
    model_changes: [],
  };
  writeFileSync(join(directory, "run.json"), runManifestText(manifest));
  const events = Array.from({ length: steps }, (_, at) => stepEvent(at + 1, seed));
  writeFileSync(join(directory, "events.jsonl"), `${[beginEvent(steps), ...events].map((event) => JSON.stringify(event)).join("\n")}\n`);
  writeHistory(join(directory, "history.safetensors"), "embedding_history", {
    history: writtenHistory(steps, dims),
    first: 0,
    count: steps + 1,
    lossOf: (step) => (step === 0 ? Number.NaN : writtenLoss(step, seed)),
  });
  return directory;
}

function beginEvent(steps: number): object {
  return {
    seq: 0,
    mono: 0,
    wall: 1e9,
    type: "train_begin",
    global_step: 0,
    epoch: 0,
    max_steps: steps,
    logging_steps: 10,
    num_train_epochs: 1,
    train_batch_size: 32,
  };
}

function stepEvent(step: number, seed: number): object {
  return { seq: step, mono: step / 10, wall: 1e9 + step / 10, type: "step_end", global_step: step, epoch: step / 100, loss: writtenLoss(step, seed) };
}

function writtenHistory(steps: number, dims: number): History {
  const stateBytes = writtenRows * dims * 2;
  return {
    source: "written",
    dtype: "BF16",
    states: steps + 1,
    tokens: writtenRows,
    dims,
    rowTokens: RowTokens.all(writtenRows),
    read(first, count, target) {
      for (let at = 0; at < count; at++) target.set(stateOf(first + at, steps, dims), at * stateBytes);
    },
    close() {},
  };
}

/** A state in bfloat16, little-endian: the upper halves of float32. */
export function stateOf(state: number, steps: number, dims: number): Uint8Array {
  const values = new Float32Array(writtenRows * dims);
  for (let row = 0; row < writtenRows; row++) for (let dim = 0; dim < dims; dim++) values[row * dims + dim] = component(state, row, dim, steps);
  const words = new Uint32Array(values.buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

/** Give a written run a history of another shape, all zeros but for its last state, in a sparse file: it is as long as a real one and takes no room. The words of the last state are bfloat16. */
export function stretchHistory(
  directory: string,
  [states, tokens, dims]: readonly [states: number, tokens: number, dims: number],
  lastWord: (index: number) => number = (index) => 0x3f80 + (index % 4096),
): void {
  const headBytes = 4096;
  const stateBytes = tokens * dims * 2;
  const entries = {
    steps_done: { dtype: "I64", shape: [], data_offsets: [0, 8] },
    embedding_history: { dtype: "BF16", shape: [states, tokens, dims], data_offsets: [8, 8 + states * stateBytes] },
  };
  const head = Buffer.alloc(headBytes + 8, " ");
  head.writeBigUInt64LE(BigInt(headBytes - 8), 0);
  head.write(JSON.stringify(entries), 8);
  head.writeBigInt64LE(BigInt(states - 1), headBytes);
  const fd = openSync(join(directory, "history.safetensors"), "w");
  ftruncateSync(fd, headBytes + 8 + states * stateBytes);
  writeSync(fd, head, 0, head.length, 0);
  const last = new Uint8Array(Uint16Array.from({ length: tokens * dims }, (_, index) => lastWord(index)).buffer);
  writeSync(fd, last, 0, last.length, headBytes + 8 + (states - 1) * stateBytes);
  closeSync(fd);
  const [zeros, ofLast] = [crc32(new Uint8Array(stateBytes)), crc32(last)];
  const records = Array.from({ length: states }, (_, step) =>
    packIndexRecord({ step, crc: step === states - 1 ? ofLast : zeros, loss: step === 0 ? Number.NaN : writtenLoss(step, 0) }),
  );
  writeFileSync(join(directory, "history.idx"), Buffer.concat(records));
}
